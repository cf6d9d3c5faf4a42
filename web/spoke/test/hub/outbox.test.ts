import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drained, here, offline, openEdits, outcomes, put, stored, titles, waiting } from './edits.js'
import type { Options } from './edits-page.js'
import { eventually, Hub, sleep } from './hub.js'
import { world } from './world.js'

const { hub, proxy, site } = await world()

const open = (options: Partial<Options> = {}): Promise<Page> =>
  openEdits(site, { url: proxy.url, identity: 'alice', ...options })

test('behaviour 23: what two tabs have kept offline is sent once and in the order of lanes when both are closed', async () => {
  const from = await here(hub)
  const [one, two] = [await open(), await open()]
  await offline(one, proxy)
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
  await proxy.set()
  const next = await open()
  await drained(next)
  const events = await stored(hub, from)
  expect(await titles(hub, from, 'a')).toEqual([0, 1, 2, 3, 4].flatMap((n) => [`${n} one`, `${n} two`]))
  expect(events).toHaveLength(15)
})

test('behaviour 23: a tab that crashes between the hub’s yes and its own is followed by one that sends nothing twice', async () => {
  const from = await here(hub)
  const one = await open()
  await offline(one, proxy)
  await proxy.set({ mode: 'swallow' })
  for (let n = 0; n < 3; n++) await put(one, 'a', String(n))
  await eventually(
    () => stored(hub, from),
    (events) => events.length === 1, // it is stored, and no answer comes
  )
  const session = await one.context().newCDPSession(one)
  void session.send('Page.crash').catch(() => {})
  await one.waitForEvent('crash')
  await proxy.set()
  await proxy.cut()
  const next = await open()
  await drained(next)
  expect(await titles(hub, from, 'a')).toEqual(['0', '1', '2'])
})

test('any tab enqueues, one sends, and each hears what has become of its own', async () => {
  const from = await here(hub)
  const [one, two] = [await open(), await open()]
  await put(two, 'a', 'from the second')
  await put(one, 'a', 'from the first')
  for (const page of [one, two]) {
    await eventually(
      () => outcomes(page),
      (all) => all[0] === 'sent',
    )
  }
  expect(await stored(hub, from)).toHaveLength(2)
  await one.close()
  await put(two, 'a', 'after the first')
  await eventually(
    () => outcomes(two),
    (all) => all[1] === 'sent',
  )
})

test('at most four lanes are sent at a time, and one holds up no other', async () => {
  const from = await here(hub)
  const page = await open()
  await offline(page, proxy)
  for (let n = 0; n < 6; n++) await put(page, `k${n}`, 't')
  await proxy.set({ mode: 'swallow' })
  await eventually(
    () => stored(hub, from),
    (events) => events.length === 4,
  )
  await sleep(500)
  expect(await stored(hub, from)).toHaveLength(4)
  await proxy.set()
  await proxy.cut()
  await eventually(
    () => stored(hub, from),
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
    const end = Date.now() + 8_000
    while (Date.now() < end); // as a frozen page, it keeps its lock and says nothing
  })
  let thawed = false
  void frozen.then(() => {
    thawed = true
  })
  const from = await here(hub)
  await put(two, 'a', 'waits')
  await eventually(
    () => outcomes(two),
    (all) => all[0] === 'sent',
  )
  expect(thawed).toBe(false)
  await frozen
  await put(one, 'a', 'thawed')
  await eventually(
    () => outcomes(one),
    (all) => all[0] === 'sent',
  )
  expect(await titles(hub, from)).toEqual(['waits', 'thawed'])
})

test('a tab that is left sends nothing, and knows when it is back what has happened', async () => {
  const [one, two] = [await open(), await open()]
  await put(one, 'a', 'before')
  await drained(one) // a page that is using its disk when it is left is not kept
  await one.goto(`${site.url}/other`)
  await put(two, 'a', 'meanwhile')
  await eventually(
    () => outcomes(two),
    (all) => all[0] === 'sent',
  )
  await offline(two, proxy)
  await put(two, 'a', 'waits')
  await one.goBack({ waitUntil: 'commit' })
  await eventually(
    () => waiting(one), // the page was kept, and reads what the other has written
    (n) => n === 1,
  )
  await two.close()
  await proxy.set()
  await drained(one)
  expect(await outcomes(one)).toEqual(['sent'])
})

test('whoever was not there when its item was sent is told that nobody has told', async () => {
  const from = await here(hub)
  const [one, two] = [await open(), await open()]
  await offline(one, proxy)
  await put(two, 'a', 'kept')
  await two.goto(`${site.url}/other`)
  await proxy.set()
  await eventually(
    () => stored(hub, from),
    (events) => events.length === 1,
  )
  await drained(one)
  await two.goBack({ waitUntil: 'commit' })
  await eventually(
    () => outcomes(two),
    (all) => /nobody has told/.test(all[0] ?? ''),
  )
})

test('what waits for its next try has it when the spoke is connected again', async () => {
  const from = await here(hub)
  const page = await open({ topic: 'elsewhere' })
  await page.waitForFunction(() => globalThis.edits.live.ready)
  await offline(page, proxy)
  await page.evaluate(() => {
    const slow = globalThis.setTimeout // long pauses do not end
    globalThis.setTimeout = ((f: () => void, ms: number) => slow(f, ms < 1_500 ? ms : 2 ** 30)) as typeof setTimeout
  })
  await put(page, 'a', 'waits')
  await sleep(3_500)
  await proxy.set()
  await sleep(1_500)
  expect(await stored(hub, from)).toEqual([])
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await eventually(
    () => stored(hub, from),
    (events) => events.length === 1,
  )
})

test('identities do not mix', async () => {
  const from = await here(hub)
  const alice = await open()
  await offline(alice, proxy)
  await put(alice, 'a', 'alice’s')
  await alice.close()
  await sleep(1_000) // what a page tries once more when it is left is refused by now
  await proxy.set()
  const bob = await open({ identity: 'bob' })
  await sleep(500)
  expect(await waiting(bob)).toBe(0)
  expect(await stored(hub, from)).toEqual([])
  await open()
  await eventually(
    () => stored(hub, from),
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
    const cursor = await here(guarded)
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
    await drained(page)
    expect(await outcomes(page)).toEqual(['sent', 'sent', 'sent', 'sent'])
    expect(await stored(guarded, cursor)).toHaveLength(4)
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
    const reasons = await page.evaluate(() => globalThis.edits.givenUp)
    // Of two lanes either may be first.
    await eventually(
      async () => (await outcomes(page)).slice(0, 2),
      (all) => JSON.stringify(all) === JSON.stringify(reasons.toSorted()),
    )
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
    await drained(page)
    const { items } = await guarded.call<{ items: unknown[] }>('GET', '/v1/state?topic=cards/*')
    expect(items).toContainEqual(expect.objectContaining({ key: 'bob' }))
  })
})
