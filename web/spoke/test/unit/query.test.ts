import { dehydrate, environmentManager, hydrate, notifyManager, QueryClient, QueryObserver } from '@tanstack/query-core'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSpoke, type EventOf, HubError, type Spoke, type Subscriber } from '../../src/index.js'
import { initial, type State } from '../../src/machine/state.js'
import { beforeFrame } from '../../src/query/frame.js'
import { bindQueries, liveQueries, liveQuery, whileSilent } from '../../src/query/index.js'
import type { Interval } from '../../src/query/silence.js'

type Events = { 'card.moved': { column: string } }

interface Card {
  version: number
}

/** A spoke whose subscribers are called by hand. */
function fakeSpoke() {
  const spoke = createSpoke<Events>({ url: 'http://nowhere' })
  const subscribers = new Set<Subscriber<Events>>()
  const watchers = new Set<(state: State) => void>()
  const { memory } = initial(1)
  let state: State = { name: 'live', rung: 0, since: 0, memory }
  const cursors: (string | undefined)[] = []
  let cursor: string | undefined = 'e-0'
  vi.spyOn(spoke, 'state', 'get').mockImplementation(() => state)
  vi.spyOn(spoke, 'cursor', 'get').mockImplementation(() => cursor)
  vi.spyOn(spoke, 'watch').mockImplementation((watcher) => {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  })
  vi.spyOn(spoke, 'subscribe').mockImplementation((_, to, options) => {
    const subscriber = typeof to === 'function' ? { events: to } : to
    subscribers.add(subscriber)
    cursors.push(options?.cursor)
    return () => subscribers.delete(subscriber)
  })
  return {
    spoke,
    subscribers,
    watchers,
    cursors,
    stand: (at: string | undefined) => (cursor = at),
    events: (...versions: number[]) => {
      for (const { events } of subscribers) events(versions.map(moved))
    },
    reset: () => {
      for (const subscriber of subscribers) subscriber.reset?.('retention')
    },
    begun: () => {
      for (const subscriber of subscribers) subscriber.begun?.()
    },
    refuse: () => {
      const error = new HubError({ code: 'forbidden', status: 403, detail: 'not yours' })
      for (const subscriber of subscribers) expect(() => subscriber.refused?.(error)).toThrow(error) // the spoke tells it
      subscribers.clear()
    },
    become: (name: 'live' | 'disabled') => {
      state = name === 'live' ? { name, rung: 0, since: 0, memory } : { name, by: 'app', asking: false, memory }
      for (const watcher of watchers) watcher(state)
    },
  }
}

const moved = (version: number): EventOf<Events> => ({
  type: 'card.moved',
  topic: 'cards/1',
  key: '1',
  version,
  offset: version,
  data: { column: String(version) },
})
const apply = (card: Card, { version = 0 }: { readonly version?: number }) =>
  version > card.version ? { version } : card

/** A server that is slow: when it reads, and when it answers, is said by hand. */
function slowServer() {
  const flights: { version: number | undefined; answer: (card: Card | Promise<never>) => void }[] = []
  let truth = 0
  return {
    flights,
    publish: () => ++truth,
    truth: () => truth,
    fetch: () => new Promise<Card>((answer) => flights.push({ version: undefined, answer })),
    read: () => {
      for (const flight of flights) flight.version ??= truth
    },
    answer: () => {
      const flight = flights.shift()
      flight?.answer({ version: flight.version ?? truth })
    },
    fail: () => flights.shift()?.answer(Promise.reject(new Error('down'))),
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  environmentManager.setIsServer(() => false)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

const queryKey = ['cards', 1]
const ways = {
  bindQueries: (client: QueryClient, spoke: Spoke<Events>, queryFn: () => Promise<Card>, applies: boolean) => ({
    options: { queryKey, queryFn, staleTime: Number.POSITIVE_INFINITY, refetchInterval: whileSilent(spoke, 2_000) },
    end: bindQueries<Events, Card>(client, spoke, {
      filters: 'cards/1',
      queryKey: ['cards'],
      ...(applies && { apply }),
    }),
  }),
  liveQuery: (client: QueryClient, spoke: Spoke<Events>, queryFn: () => Promise<Card>, applies: boolean) => ({
    options: liveQuery(
      spoke,
      { queryKey, queryFn, refetchInterval: 2_000 },
      { filters: 'cards/1', ...(applies && { apply }) },
    ),
    end: liveQueries(client, spoke),
  }),
}

const steps = ['publish', 'deliver', 'lose', 'refetch', 'read', 'answer', 'fail', 'cancel', 'hydrate', 'pass'] as const

for (const [way, bind] of Object.entries(ways))
  test(`20. whatever comes when, the cache never goes back, and ends where the server is: ${way}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...steps), { minLength: 5, maxLength: 60 }),
        fc.boolean(),
        async (what, applies) => {
          const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
          const fake = fakeSpoke()
          const server = slowServer()
          const { options, end } = bind(client, fake.spoke, server.fetch, applies)
          const seen: number[] = []
          const observer = new QueryObserver(client, options)
          // As React does it: what is shown is what there is when all have been told.
          const look = () => {
            const { data } = observer.getCurrentResult()
            if (data !== undefined && data.version !== seen.at(-1)) seen.push(data.version)
          }
          const unobserve = observer.subscribe(notifyManager.batchCalls(look))
          let underWay: number[] = []
          const take: Record<(typeof steps)[number], () => unknown> = {
            publish: () => underWay.push(server.publish()),
            deliver: () => {
              if (underWay.length > 0) fake.events(...underWay.splice(0, 2))
            },
            lose: () => {
              underWay = []
              fake.reset()
            },
            refetch: () => void client.refetchQueries({ queryKey }).catch(() => {}),
            read: server.read,
            answer: () => {
              server.read()
              server.answer()
            },
            fail: server.fail,
            cancel: () => client.cancelQueries({ queryKey }),
            // What a server has rendered with is as of now, and comes from elsewhere.
            hydrate: () => {
              const query = client.getQueryCache().find({ queryKey })
              const data = { version: server.truth() }
              if (query?.state.data && query.state.fetchStatus === 'idle')
                query.setState({ data, dataUpdatedAt: Date.now() })
            },
            pass: () => pass(1_500),
          }
          for (const step of what) {
            await take[step]()
            await pass(1)
            look()
          }
          if (underWay.length > 0) fake.events(...underWay)
          for (let i = 0; i < 10; i++) {
            await pass(3_000)
            server.read()
            server.answer()
          }
          await pass(3_000)
          expect(seen).toEqual([...seen].sort((a, b) => a - b))
          const { data } = observer.getCurrentResult()
          if (data !== undefined) expect(data.version).toBe(server.truth())
          else expect(what).toContain('cancel')
          unobserve()
          end()
          expect(fake.subscribers.size + fake.watchers.size).toBe(0)
          client.clear()
        },
      ),
      { numRuns: 300 },
    )
  })

test('what comes within a moment is one change, and all that render hear of it once', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const end = liveQueries(client, fake.spoke)
  const observer = new QueryObserver(
    client,
    liveQuery(fake.spoke, { queryKey, queryFn: async () => ({ version: 0 }) }, { filters: 'cards/1', apply }),
  )
  const told = vi.fn()
  const unobserve = observer.subscribe(notifyManager.batchCalls(told))
  await pass(10)
  told.mockClear()
  for (let i = 1; i <= 100; i++) fake.events(i)
  await pass(1)
  expect(observer.getCurrentResult().data).toEqual({ version: 100 })
  expect(told).toHaveBeenCalledTimes(1)
  unobserve()
  end()
})

test('data of a server is followed from its cursor, or fetched again', async () => {
  for (const dated of [true, false]) {
    const client = new QueryClient()
    const fake = fakeSpoke()
    fake.stand('e-20')
    const queryFn = vi.fn(async () => ({ version: 17, cursor: 'e-20' }))
    client.setQueryData(queryKey, { version: 12, cursor: 'e-15' })
    const options = liveQuery(
      fake.spoke,
      { queryKey, queryFn },
      { filters: 'cards/1', ...(dated && { cursorOf: ({ cursor }) => cursor }) },
    )
    const end = liveQueries(client, fake.spoke)
    const unobserve = new QueryObserver(client, options).subscribe(() => {})
    await pass(10)
    expect(fake.cursors).toEqual([dated ? 'e-15' : undefined])
    expect(queryFn).toHaveBeenCalledTimes(dated ? 0 : 1)
    unobserve()
    end()
    client.clear()
  }
})

test('what was fetched before the connection began is fetched again, unless its cursor says that it need not be', async () => {
  for (const cursor of [undefined, 'e-19', 'e-20']) {
    const client = new QueryClient()
    const fake = fakeSpoke()
    fake.stand(undefined)
    const end = liveQueries(client, fake.spoke)
    const queryFn = vi.fn(async () => ({ version: 1, cursor }))
    const options = liveQuery(
      fake.spoke,
      { queryKey, queryFn },
      { filters: 'cards/1', cursorOf: ({ cursor }) => cursor },
    )
    const unobserve = new QueryObserver(client, options).subscribe(() => {})
    await pass(10)
    fake.stand('e-20')
    fake.begun()
    await pass(10)
    expect(queryFn).toHaveBeenCalledTimes(cursor === 'e-20' ? 1 : 2)
    unobserve()
    end()
    client.clear()
  }
})

test('a reset fetches the queries of the binding, and no others', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const fetches: string[] = []
  const observe = (name: string) =>
    new QueryObserver(client, {
      queryKey: name.split('/'),
      queryFn: () => fetches.push(name),
      staleTime: Number.POSITIVE_INFINITY,
    }).subscribe(() => {})
  const unobserve = ['cards/1', 'cards/2', 'users/1'].map(observe)
  await pass(10)
  const end = bindQueries<Events, number>(client, fake.spoke, { filters: 'cards/*', queryKey: ['cards'] })
  await pass(10)
  fetches.length = 0
  fake.reset()
  await pass(10)
  expect(fetches.sort()).toEqual(['cards/1', 'cards/2'])
  for (const each of unobserve) each()
  end()
})

test('a query that is not used any more is not followed any more', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const end = liveQueries(client, fake.spoke)
  const options = liveQuery(
    fake.spoke,
    { queryKey, queryFn: async () => ({ version: 1 }), gcTime: 1_000 },
    { filters: 'cards/1', apply },
  )
  await client.prefetchQuery(options)
  expect(fake.subscribers.size).toBe(1)
  fake.events(2)
  await pass(1)
  expect(client.getQueryData(queryKey)).toEqual({ version: 2 })
  await pass(2_000)
  expect(fake.subscribers.size).toBe(0)
  end()
})

test('an event that cannot be applied is no end: the data is fetched', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const end = liveQueries(client, fake.spoke)
  const queryFn = vi.fn(async () => ({ version: 1 }))
  const broken = () => {
    throw new Error('broken')
  }
  const options = liveQuery(fake.spoke, { queryKey, queryFn }, { filters: 'cards/1', apply: broken })
  const unobserve = new QueryObserver(client, options).subscribe(() => {})
  await pass(10)
  fake.events(2)
  await pass(1_200)
  expect(queryFn).toHaveBeenCalledTimes(2)
  expect(said).toHaveBeenCalled()
  unobserve()
  end()
})

test('more events than are remembered come during a fetch: what it brings is not shown, and it is repeated', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const server = slowServer()
  const end = liveQueries(client, fake.spoke)
  const options = liveQuery(fake.spoke, { queryKey, queryFn: server.fetch }, { filters: 'cards/1', apply })
  const unobserve = new QueryObserver(client, options).subscribe(() => {})
  server.answer()
  await pass(10)
  void client.refetchQueries({ queryKey })
  server.read()
  for (let i = 1; i <= 600; i++) fake.events(server.publish())
  await pass(10)
  server.answer()
  await pass(1)
  expect(client.getQueryData(queryKey)).toEqual({ version: 600 })
  expect(server.flights).toHaveLength(1)
  unobserve()
  end()
})

test('what is changed before the server knows is not undone by older events, and gives way to newer', async () => {
  interface Titled extends Card {
    title: string
  }
  const client = new QueryClient()
  const fake = fakeSpoke()
  const end = liveQueries(client, fake.spoke)
  const options = liveQuery(
    fake.spoke,
    { queryKey, queryFn: async (): Promise<Titled> => ({ version: 4, title: 'old' }) },
    {
      filters: 'cards/1',
      apply: (card, { version = 0, data }) => (version > card.version ? { version, title: data?.column ?? '' } : card),
    },
  )
  const unobserve = new QueryObserver(client, options).subscribe(() => {})
  await pass(10)
  const title = () => client.getQueryData<Titled>(queryKey)?.title
  await client.cancelQueries({ queryKey })
  client.setQueryData<Titled>(queryKey, (card) => card && { ...card, title: 'mine' }) // the version stays
  fake.events(3, 4)
  await pass(10)
  expect(title()).toBe('mine')
  client.setQueryData<Titled>(queryKey, (card) => card && { ...card, version: 7 }) // the answer
  fake.events(6, 7)
  await pass(10)
  expect(title()).toBe('mine')
  fake.events(8)
  await pass(10)
  expect(title()).toBe('8')
  unobserve()
  end()
})

for (const [way, bind] of Object.entries(ways))
  test(`a query whose events are refused is fetched at its interval for as long as it is bound: ${way}`, async () => {
    const client = new QueryClient()
    const fake = fakeSpoke()
    const queryFn = vi.fn(async () => ({ version: 1 }))
    const { options, end } = bind(client, fake.spoke, queryFn, true)
    const unobserve = new QueryObserver(client, options).subscribe(() => {})
    await pass(10_000)
    expect(queryFn).toHaveBeenCalledTimes(1)
    fake.refuse()
    await pass(10_000)
    expect(queryFn).toHaveBeenCalledTimes(6)
    end()
    expect(options.refetchInterval).toBeTypeOf('function')
    await pass(10_000)
    expect(queryFn.mock.calls.length).toBeLessThanOrEqual(7) // one was due
    unobserve()
    client.clear()
  })

test('of other queries nothing is asked, nor are they fetched', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  const fake = fakeSpoke()
  const cursorOf = vi.fn(() => undefined)
  const end = bindQueries<Events, Card>(client, fake.spoke, { filters: 'cards/*', queryKey: ['cards'], cursorOf })
  const queryFn = vi.fn(async () => ({ version: 1 }))
  const other = { queryKey: ['other'], queryFn }
  const unobserve = new QueryObserver(client, other).subscribe(() => {})
  await pass(10)
  const server = new QueryClient()
  server.setQueryData(['other'], { version: 2 }, { updatedAt: Date.now() + 1_000 })
  hydrate(client, dehydrate(server))
  await pass(2_000)
  expect(client.getQueryData(['other'])).toEqual({ version: 2 })
  expect(queryFn).toHaveBeenCalledTimes(1)
  expect(cursorOf).not.toHaveBeenCalled()
  unobserve()
  end()
})

test('what has been cleared does not come back', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const end = liveQueries(client, fake.spoke)
  const options = liveQuery(
    fake.spoke,
    { queryKey, queryFn: async () => ({ version: 1 }) },
    { filters: 'cards/1', apply },
  )
  await client.prefetchQuery(options)
  fake.events(2)
  client.clear()
  await pass(2_000)
  expect(client.getQueryCache().getAll()).toEqual([])
  end()
})

test('a keyOf that throws stops no other binding, and has its queries fetched', async () => {
  const client = new QueryClient()
  const fake = fakeSpoke()
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const queryFn = vi.fn(async () => ({ version: 2 }))
  const observe = (name: string) =>
    new QueryObserver(client, {
      queryKey: [name],
      queryFn,
      initialData: { version: 2 },
      staleTime: Number.POSITIVE_INFINITY,
    }).subscribe(() => {})
  const ends = [observe('broken'), observe('cards')]
  const keyOf = () => {
    throw new Error('broken')
  }
  ends.push(
    bindQueries<Events, Card>(client, fake.spoke, { filters: 'cards/*', queryKey: ['broken'], keyOf, apply }),
    bindQueries<Events, Card>(client, fake.spoke, { filters: 'cards/*', queryKey: ['cards'], apply }),
  )
  await pass(10)
  queryFn.mockClear()
  fake.events(3)
  await pass(1_200)
  expect(client.getQueryData(['cards'])).toEqual({ version: 3 })
  expect(queryFn).toHaveBeenCalledTimes(1)
  expect(said).toHaveBeenCalled()
  for (const end of ends) end()
})

test('what is due before a frame and throws stops nothing else of that frame', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const other = vi.fn()
  beforeFrame(() => {
    throw new Error('broken')
  })
  beforeFrame(other)
  await pass(1)
  expect(other).toHaveBeenCalledTimes(1)
  expect(said).toHaveBeenCalledTimes(1)
})

test('the interval of a live query may be none, or a function', async () => {
  const { spoke, become } = fakeSpoke()
  const query = { state: { status: 'success' } }
  const intervalOf = (refetchInterval?: Interval) => {
    const options = { queryKey, ...(refetchInterval !== undefined && { refetchInterval }) }
    const { refetchInterval: interval }: { refetchInterval?: unknown } = liveQuery(spoke, options, { filters: 'a' })
    return typeof interval === 'function' ? interval(query) : interval
  }
  const all: (Interval | undefined)[] = [undefined, false, 500, () => 500]
  for (const given of all) expect(intervalOf(given)).toBe(false)
  become('disabled')
  expect(intervalOf()).toBe(30_000)
  expect(intervalOf(false)).toBe(false)
  expect(intervalOf(500)).toBe(500)
  expect(intervalOf(() => 500)).toBe(500)
  expect(intervalOf(() => undefined)).toBe(false)
})

test('what an event has fetched anew, all browsers fetch within a second, and not at once', async () => {
  for (const [luck, atMs] of [
    [0, 100],
    [0.999, 1_099],
  ] as const) {
    vi.spyOn(Math, 'random').mockReturnValue(luck)
    const client = new QueryClient()
    const fake = fakeSpoke()
    const end = liveQueries(client, fake.spoke)
    const queryFn = vi.fn(async () => ({ version: 1 }))
    const options = liveQuery(fake.spoke, { queryKey, queryFn }, { filters: 'cards/1' })
    const unobserve = new QueryObserver(client, options).subscribe(() => {})
    await pass(10)
    fake.events(2)
    await pass(atMs - 20)
    expect(queryFn).toHaveBeenCalledTimes(1)
    await pass(40)
    expect(queryFn).toHaveBeenCalledTimes(2)
    unobserve()
    end()
  }
})
