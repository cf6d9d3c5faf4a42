import { dehydrate, environmentManager, hydrate, notifyManager, QueryClient, QueryObserver } from '@tanstack/query-core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { beforeFrame } from '../../src/query/frame.js'
import { bindQueries, liveQueries, liveQuery } from '../../src/query/index.js'
import type { Interval } from '../../src/query/silence.js'
import { apply, type Card, type Events, fakeSpoke, pass, queryKey, slowServer, ways } from './query-world.js'

beforeEach(() => {
  vi.useFakeTimers()
  environmentManager.setIsServer(() => false)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
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
  const report = vi.fn()
  const other = vi.fn()
  beforeFrame(() => {
    throw new Error('broken')
  }, report)
  beforeFrame(other, report)
  await pass(1)
  expect(other).toHaveBeenCalledTimes(1)
  expect(report).toHaveBeenCalledTimes(1)
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
