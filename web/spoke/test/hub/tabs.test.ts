import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { events, Site, seen, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'

let hub: Hub
let site: Site
beforeAll(async () => {
  hub = await Hub.start()
  site = await Site.start()
})
afterAll(async () => {
  await site?.stop()
  await hub?.stop()
})
beforeEach(async () => {
  await site.fresh()
  await eventually(
    () => hub.clients(),
    (all) => all.length === 0,
  )
})

const publish = (topic: string, n: number) => hub.publish({ topic, type: 't', data: n })
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

async function tab(filters: string[]): Promise<Page> {
  const page = await site.start({ url: hub.url, filters, tabs: 'alice' })
  await until(page, 'live')
  return page
}

test('tabs share one connection, and each has what it follows', async () => {
  const tabs = [await tab(['a']), await tab(['a', 'b']), await tab(['b'])]
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1 && all[0]?.filters.length === 2,
  )
  for (const n of range(0, 20)) await publish(n % 2 ? 'b' : 'a', n)
  expect(await events(tabs[0] as Page, 10)).toEqual(range(0, 10).map((n) => 2 * n))
  expect(await events(tabs[1] as Page, 20)).toEqual(range(0, 20))
  expect(await events(tabs[2] as Page, 10)).toEqual(range(0, 10).map((n) => 2 * n + 1))
  expect(await hub.clients()).toHaveLength(1)
})

test('when the leader is closed another goes on, and nothing is lost or doubled', async () => {
  const tabs = [await tab(['a']), await tab(['a']), await tab(['a'])]
  let n = 0
  let closing = true
  const publishing = (async () => {
    while (closing) await publish('a', n++)
  })()
  await events(tabs[0] as Page, 10)
  await tabs[0]?.close()
  await sleep(1_000)
  await tabs[1]?.close()
  await sleep(1_000)
  closing = false
  await publishing
  const last = tabs[2] as Page
  const heard = (await events(last, n)) as number[]
  expect(heard).toEqual(range(heard[0] ?? 0, n))
  expect((await seen(last)).resets).toEqual([])
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
})

test('a tab that follows more loses nothing of what it followed', async () => {
  const [, follower] = [await tab(['a']), await tab(['a'])]
  let n = 0
  let going = true
  const publishing = (async () => {
    while (going) await publish('a', n++)
  })()
  await events(follower, 10)
  for (const more of ['b', 'c', 'd']) {
    await follower.evaluate((filter) => void globalThis.follow([filter]), more)
    await sleep(200)
  }
  going = false
  await publishing
  await eventually(
    () => hub.clients(),
    (all) => all[0]?.filters.length === 4,
  )
  const heard = (await events(follower, n)) as number[]
  expect(heard).toEqual(range(heard[0] ?? 0, n))
})

test('a tab that goes on from an older cursor has what it missed, whatever else comes meanwhile', async () => {
  const [leader, follower] = [await tab(['a']), await tab(['a'])]
  const { cursor } = await publish('elsewhere', 0)
  for (const n of range(0, 5)) await publish('b', n)
  let n = 0
  let going = true
  const publishing = (async () => {
    while (going) await publish('a', n++)
  })()
  await events(leader, 10)
  await follower.evaluate((from) => void globalThis.follow(['b'], { cursor: from }), cursor)
  await sleep(500)
  going = false
  await publishing
  await follower.waitForFunction((last) => globalThis.seen.batches.flat().some(({ data }) => data === last), n - 1)
  const heard = (topic: string, batches: { topic: string; data?: unknown }[][]) =>
    batches
      .flat()
      .filter((event) => event.topic === topic)
      .map(({ data }) => data)
  const { batches } = await seen(follower)
  expect(heard('b', batches)).toEqual(range(0, 5))
  expect(heard('a', batches)).toEqual(range(0, n))
  expect(await events(leader, n)).toEqual(range(0, n))
})

test('a tab that is left is not the leader any more, and follows when it is back', async () => {
  const [leader, follower] = [await tab(['a']), await tab(['a'])]
  await leader.goto(`${site.url}/other`)
  await publish('a', 1)
  await events(follower, 1)
  await leader.goBack({ waitUntil: 'commit' })
  await publish('a', 2)
  expect(await events(leader, 2)).toEqual([1, 2]) // the page was kept
  expect(await events(follower, 2)).toEqual([1, 2])
  expect((await seen(leader)).resets).toEqual([])
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
})

test('who else is signed in has a connection of its own', async () => {
  await tab(['a'])
  const bob = await site.start({ url: hub.url, filters: ['a'], tabs: 'bob' })
  await until(bob, 'live')
  await eventually(
    () => hub.clients(),
    (all) => all.length === 2,
  )
})

test('a leader that does not answer is deposed, and gives way when it is back', async () => {
  const [leader, follower] = [await tab(['a']), await tab(['a'])]
  // The follower's patience of forty seconds is one.
  await follower.evaluate(() => {
    const slow = globalThis.setTimeout
    globalThis.setTimeout = ((f: () => void, ms: number) => slow(f, ms / 40)) as typeof setTimeout
    document.dispatchEvent(new Event('visibilitychange'))
    globalThis.setTimeout = slow
  })
  const frozen = leader.evaluate(() => {
    const end = Date.now() + 6_000
    while (Date.now() < end); // as a frozen page, it keeps its lock and says nothing
  })
  await publish('a', 1)
  await eventually(
    () => hub.clients(),
    (all) => all.length >= 2,
  )
  await frozen
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
  await publish('a', 2)
  expect(await events(follower, 2)).toEqual([1, 2])
  expect(await events(leader, 2)).toEqual([1, 2])
})
