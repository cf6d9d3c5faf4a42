import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Site } from './browser.js'
import type { Options } from './edits-page.js'
import { eventually, Hub, sleep } from './hub.js'
import { Proxy } from './proxy.js'

let hub: Hub
let proxy: Proxy
let site: Site
beforeAll(async () => {
  hub = await Hub.start()
  proxy = await Proxy.start(hub.port)
  site = await Site.start()
})
afterAll(async () => {
  await site?.stop()
  await proxy?.stop()
  await hub?.stop()
})
beforeEach(async () => {
  proxy.mode = 'pass'
  await site.fresh()
})

interface Stored {
  topic: string
  key?: string
  data: unknown
  id: string
  version?: number
}

async function here(): Promise<string> {
  return (await hub.publish({ topic: 'elsewhere', type: 't' })).cursor
}

async function stored(from: string, topic = 'cards/1', by = hub): Promise<Stored[]> {
  return (await by.call<{ events: Stored[] }>('GET', `/v1/events?topic=${topic}&cursor=${from}`)).events
}

async function open(options: Partial<Options> = {}): Promise<Page> {
  const page = await site.open('/edits')
  await page.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice', ...options })
  return page
}

/** Cuts the network, after a request with its preflight has passed. */
async function offline(page: Page): Promise<void> {
  await page.evaluate(() => globalThis.edits.note('warm', 0))
  await eventually(
    () => waiting(page),
    (n) => n === 0,
  )
  proxy.mode = 'refuse'
  proxy.cut()
}

const waiting = (page: Page) => page.evaluate(() => globalThis.edits.outbox.items.length)
const outcomes = (page: Page) => page.evaluate(() => globalThis.edits.outcomes)
const put = (page: Page, key: string, title: string, options = {}) =>
  page.evaluate(([k, t, o]) => globalThis.edits.put(k, { title: t }, o), [key, title, options] as const)
const titles = (events: Stored[], key: string) =>
  events.filter((event) => event.key === key).map(({ data }) => (data as { title: string } | undefined)?.title)
const titlesOf = (from: string) =>
  stored(from).then((events) => events.map(({ data }) => (data as { title: string }).title))

test('behaviour 23: what two tabs have kept offline is sent once and in the order of lanes when both are closed', async () => {
  const from = await here()
  const [one, two] = [await open(), await open()]
  await offline(one)
  for (let n = 0; n < 5; n++) {
    expect(await put(one, 'a', `${n} one`)).toBe('disk')
    expect(await put(two, 'a', `${n} two`)).toBe('disk')
    expect(await put(two, `b${n}`, 'alone')).toBe('disk')
  }
  await eventually(
    () => waiting(one),
    (n) => n === 15,
  )
  await one.close()
  await two.close()
  proxy.mode = 'pass'
  const next = await open()
  await eventually(
    () => waiting(next),
    (n) => n === 0,
  )
  const events = await stored(from)
  expect(titles(events, 'a')).toEqual([0, 1, 2, 3, 4].flatMap((n) => [`${n} one`, `${n} two`]))
  expect(events).toHaveLength(15)
})

test('behaviour 23: a tab that crashes between the hub’s yes and its own is followed by one that sends nothing twice', async () => {
  const from = await here()
  const one = await open()
  await offline(one)
  proxy.mode = 'swallow'
  for (let n = 0; n < 3; n++) await put(one, 'a', String(n))
  await eventually(
    () => stored(from),
    (events) => events.length === 1, // it is stored, and no answer comes
  )
  const session = await one.context().newCDPSession(one)
  void session.send('Page.crash').catch(() => {})
  await one.waitForEvent('crash')
  proxy.mode = 'pass'
  proxy.cut()
  const next = await open()
  await eventually(
    () => waiting(next),
    (n) => n === 0,
  )
  expect(titles(await stored(from), 'a')).toEqual(['0', '1', '2'])
})

test('any tab enqueues, one sends, and each hears what has become of its own', async () => {
  const from = await here()
  const [one, two] = [await open(), await open()]
  await put(two, 'a', 'from the second')
  await put(one, 'a', 'from the first')
  for (const page of [one, two]) {
    await eventually(
      () => outcomes(page),
      (all) => all[0] === 'sent',
    )
  }
  expect(await stored(from)).toHaveLength(2)
  await one.close()
  await put(two, 'a', 'after the first')
  await eventually(
    () => outcomes(two),
    (all) => all[1] === 'sent',
  )
})

test('at most four lanes are sent at a time, and one holds up no other', async () => {
  const from = await here()
  const page = await open()
  await offline(page)
  for (let n = 0; n < 6; n++) await put(page, `k${n}`, 't')
  proxy.mode = 'swallow'
  await eventually(
    () => stored(from),
    (events) => events.length === 4,
  )
  await sleep(500)
  expect(await stored(from)).toHaveLength(4)
  proxy.mode = 'pass'
  proxy.cut()
  await eventually(
    () => stored(from),
    (events) => events.length === 6,
  )
})

test('the tab that sends and is not there any more gives way to one that is looked at', async () => {
  const [one, two] = [await open(), await open()]
  // The second's patience of thirteen seconds is one.
  await two.evaluate(() => {
    const slow = globalThis.setTimeout
    globalThis.setTimeout = ((f: () => void, ms: number) => slow(f, ms / 13)) as typeof setTimeout
  })
  const frozen = one.evaluate(() => {
    const end = Date.now() + 6_000
    while (Date.now() < end); // as a frozen page, it keeps its lock and says nothing
  })
  const from = await here()
  await put(two, 'a', 'waits')
  await eventually(
    () => outcomes(two),
    (all) => all[0] === 'sent',
    5_000,
  )
  await frozen
  await put(one, 'a', 'thawed')
  await eventually(
    () => outcomes(one),
    (all) => all[0] === 'sent',
  )
  expect(await titlesOf(from)).toEqual(['waits', 'thawed'])
})

test('identities do not mix', async () => {
  const from = await here()
  const alice = await open()
  await offline(alice)
  await put(alice, 'a', 'alice’s')
  await alice.close()
  proxy.mode = 'pass'
  const bob = await open({ identity: 'bob' })
  await sleep(500)
  expect(await waiting(bob)).toBe(0)
  expect(await stored(from)).toEqual([])
  await open()
  await eventually(
    () => stored(from),
    (events) => events.length === 1,
  )
})

describe('who is refused', () => {
  let guarded: Hub
  beforeAll(async () => {
    guarded = await Hub.start({ tokens: true, env: { NAVE_CORS_ORIGINS: site.url } })
  })
  afterAll(() => guarded?.stop())

  test('behaviour 23: a 401 pauses all and loses nothing', async () => {
    const good = guarded.token({ subject: 'alice', publish: '**', subscribe: '**', ttl: '1h' })
    const { cursor } = await guarded.publish({ topic: 'elsewhere', type: 't' })
    const page = await site.open('/edits')
    await page.evaluate(() => {
      globalThis.nextToken = async () => 'not.a.token'
    })
    const options = { url: guarded.url, identity: 'alice', token: true }
    await page.evaluate((o) => globalThis.edits.begin(o), options)
    for (let n = 0; n < 3; n++) await put(page, `k${n}`, String(n))
    await put(page, 'k0', 'next')
    await page.waitForFunction(() => globalThis.edits.outbox.paused !== undefined)
    const second = await site.open('/edits')
    await second.evaluate((o) => globalThis.edits.begin(o), options)
    await second.waitForFunction(() => globalThis.edits.outbox.paused?.status === 401)
    expect(await waiting(second)).toBe(4)
    expect(await page.evaluate(() => globalThis.edits.givenUp)).toEqual([])
    await page.evaluate((token) => {
      globalThis.nextToken = async () => token
    }, good)
    await second.evaluate(() => globalThis.edits.outbox.resume())
    await eventually(
      () => waiting(page),
      (n) => n === 0,
    )
    expect(await outcomes(page)).toEqual(['sent', 'sent', 'sent', 'sent'])
    expect(await stored(cursor, 'cards/1', guarded)).toHaveLength(4)
    await second.waitForFunction(() => globalThis.edits.outbox.paused === undefined)
  })

  test('what is refused for good is kept and shown, sent again, or discarded', async () => {
    const token = guarded.token({ subject: 'bob', publish: 'cards/*', subscribe: '**', ttl: '1h' })
    const page = await site.open('/edits')
    await page.evaluate((t) => {
      globalThis.nextToken = async () => t
    }, token)
    await page.evaluate((o) => globalThis.edits.begin(o), { url: guarded.url, identity: 'bob', token: true })
    await page.evaluate(() => globalThis.edits.note('secret/1', 1))
    await page.evaluate(() => globalThis.edits.note('secret/2', 2))
    await put(page, 'bob', 'goes on')
    await eventually(
      () => page.evaluate(() => globalThis.edits.outbox.givenUp.length),
      (n) => n === 2,
    )
    expect((await outcomes(page)).slice(0, 2)).toEqual(await page.evaluate(() => globalThis.edits.givenUp))
    await page.reload()
    await page.waitForFunction(() => 'edits' in globalThis)
    await page.evaluate(
      (t) => {
        globalThis.nextToken = async () => t
      },
      guarded.token({ subject: 'bob', publish: '**', subscribe: '**', ttl: '1h' }),
    )
    await page.evaluate((o) => globalThis.edits.begin(o), { url: guarded.url, identity: 'bob', token: true })
    const problems = () =>
      page.evaluate(() => globalThis.edits.outbox.givenUp.map(({ failure }) => failure?.problem?.status))
    expect(await problems()).toEqual([403, 403])
    await page.evaluate(() => {
      const [first, second] = globalThis.edits.outbox.givenUp
      globalThis.edits.outbox.again(first?.id ?? '')
      globalThis.edits.outbox.discard(second?.id ?? '')
    })
    await eventually(problems, (all) => all.length === 0)
    await eventually(
      () => waiting(page),
      (n) => n === 0,
    )
    const { items } = await guarded.call<{ items: unknown[] }>('GET', '/v1/state?topic=cards/*')
    expect(items).toContainEqual(expect.objectContaining({ key: 'bob' }))
  })
})

describe('a conflict', () => {
  const version = async (key: string, title: string) =>
    (await hub.publish({ topic: 'cards/1', type: 'card', key, data: { title } })).events[0]?.offset ?? 0

  test('is given up, if nobody settles it', async () => {
    const old = await version('c1', 'theirs')
    await version('c1', 'theirs, newer')
    const page = await open()
    await put(page, 'c1', 'mine', { ifVersion: old })
    await eventually(
      () => page.evaluate(() => globalThis.edits.givenUp.length),
      (n) => n === 1,
    )
    expect((await outcomes(page))[0]).toMatch(/c1 .*has version/)
  })

  test('is settled, with the same ids', async () => {
    const old = await version('c2', 'theirs')
    await version('c2', 'theirs, newer')
    const from = await here()
    const page = await open({ conflict: 'mine' })
    await put(page, 'c2', 'mine', { ifVersion: old })
    await eventually(
      () => outcomes(page),
      (all) => all[0] === 'sent',
    )
    expect(await titlesOf(from)).toEqual(['mine'])
  })

  test('is dropped, and whoever waits is told', async () => {
    await version('c3', 'theirs')
    const from = await here()
    const page = await open({ conflict: 'drop' })
    await put(page, 'c3', 'mine', { ifVersion: 0 })
    await eventually(
      () => outcomes(page),
      (all) => /dropped/.test(all[0] ?? ''),
    )
    expect(await stored(from)).toEqual([])
    expect(await page.evaluate(() => globalThis.edits.outbox.givenUp.length)).toBe(0)
  })

  test('does not come of what the items before it in the lane have done, also over a crash', async () => {
    const from = await here()
    const page = await open()
    await offline(page)
    for (const title of ['first', 'second', 'third']) await put(page, 'c4', title, { ifVersion: 0, chain: true })
    proxy.mode = 'swallow'
    await eventually(
      () => stored(from),
      (events) => events.length === 1,
    )
    await page.close()
    proxy.mode = 'pass'
    proxy.cut()
    const next = await open()
    await eventually(
      () => waiting(next),
      (n) => n === 0,
    )
    expect(await titlesOf(from)).toEqual(['first', 'second', 'third'])
  })
})

describe('bounds', () => {
  test('behaviour 24: a disk that is full makes room in memory, and says so', async () => {
    const from = await here()
    const page = await open()
    await offline(page)
    expect(await put(page, 'a', 'on disk')).toBe('disk')
    const session = await page.context().newCDPSession(page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 1 })
    const big = 'x'.repeat(200_000)
    expect(await put(page, 'a', big)).toBe('memory')
    expect(await page.evaluate(() => globalThis.edits.outbox.durability)).toBe('memory')
    proxy.mode = 'pass'
    await eventually(
      () => waiting(page),
      (n) => n === 0,
      30_000,
    )
    expect(await titlesOf(from)).toEqual(['on disk', big])
    expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
  })

  test('behaviour 24: without IndexedDB all is in memory, and says so', async () => {
    const from = await here()
    const page = await site.open('/edits')
    await page.evaluate(() => {
      indexedDB.open = () => {
        throw new DOMException('not here', 'SecurityError')
      }
    })
    await page.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    expect(await put(page, 'a', 'one')).toBe('memory')
    await eventually(
      () => outcomes(page),
      (all) => all[0] === 'sent',
    )
    expect(await titlesOf(from)).toEqual(['one'])
    expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
  })

  test('behaviour 24: a database that is taken away is opened again', async () => {
    const page = await open()
    await offline(page)
    await put(page, 'a', 'one')
    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase('nave-outbox/1 alice')
          request.onsuccess = resolve
          request.onerror = reject
          request.onblocked = reject
        }),
    )
    expect(await put(page, 'a', 'two')).toBe('disk')
    expect(await page.evaluate(() => globalThis.edits.outbox.durability)).toBe('disk')
    expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
  })

  test('a full outbox takes no more, and says so', async () => {
    const page = await open()
    await offline(page)
    const refusal = await page.evaluate(async () => {
      const { outbox } = globalThis.edits
      const draft = (n: number) => ({ topic: 'many', type: 'note' as const, data: n })
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => outbox.enqueue(draft(n)).stored))
      return outbox.enqueue(draft(1_000)).stored.catch(String)
    })
    expect(refusal).toMatch(/the outbox is full: it holds 1000 of 1000 items/)
    expect(await waiting(page)).toBe(1_000)
    const tooLarge = await page.evaluate(async () => {
      for (const { id } of globalThis.edits.outbox.items) globalThis.edits.outbox.discard(id)
      return globalThis.edits.put('a', { title: 'x'.repeat(5_000_000) }).catch(String)
    })
    expect(tooLarge).toMatch(/of 5000000 bytes/)
  })

  test('what has waited for more than a day is given up, and says so', async () => {
    const from = await here()
    const page = await open()
    await offline(page)
    await put(page, 'a', 'old')
    await page.close()
    proxy.mode = 'pass'
    const next = await site.open('/edits')
    await next.evaluate(() => {
      const now = Date.now
      Date.now = () => now() + 25 * 3_600_000
    })
    await next.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    await eventually(
      () => next.evaluate(() => globalThis.edits.givenUp),
      (all) => all[0] === 'it has waited for more than a day',
    )
    expect(await stored(from)).toEqual([])
  })
})
