import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { events, Site, seen, state, until } from './browser.js'
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

test('10. over HTTP/1.1 a seventh tab loads, and has all events, over one connection', async () => {
  const own = await Site.start({ hub }) // its pages come over the connections that the streams take
  const open = async (options: object) => {
    const page = await own.start({ url: own.url, filters: ['a'], ...options })
    await until(page, 'live')
    return page
  }
  // Without sharing it does not.
  for (let i = 0; i < 6; i++) await open({})
  await expect(own.open('/page', 3_000)).rejects.toThrow('Timeout')
  await own.fresh()

  const tabs = []
  for (let i = 0; i < 7; i++) tabs.push(await open({ tabs: 'alice' }))
  for (const n of range(0, 20)) await publish('a', n)
  for (const page of tabs) expect(await events(page, 20)).toEqual(range(0, 20))
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
  await own.stop()
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

test('13. a tab that is left is not the leader any more, and follows when it is back', async () => {
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

test('12. a leader that hangs and does not say so is deposed, and gives way when it is back', async () => {
  const [leader, follower] = [await tab(['a']), await tab(['a'])]
  const hanging = leader.evaluate(() => {
    const end = Date.now() + 6_000
    while (Date.now() < end); // it keeps its lock and says nothing
  })
  await follower.evaluate(() => void document.dispatchEvent(new Event('visibilitychange'))) // somebody looks
  await publish('a', 1)
  await eventually(
    () => hub.clients(),
    (all) => all.length >= 2,
  )
  await hanging
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
  await publish('a', 2)
  expect(await events(follower, 2)).toEqual([1, 2])
  expect(await events(leader, 2)).toEqual([1, 2])
})

test('12. what a leader of an earlier term says counts for nothing', async () => {
  const [leader, follower] = [await tab(['a']), await tab(['a'])]
  const say = (age: number) =>
    leader.evaluate(
      ([url, age]) => {
        const channel = new BroadcastChannel(`nave/1 alice ${url}`)
        const events = [{ type: 't', topic: 'a', data: `age ${age}` }]
        const term = Number(localStorage.getItem('nave/1 term')) - age
        channel.postMessage({ term, order: { kind: 'frame', frame: { kind: 'batch', events } } })
        channel.close()
      },
      [hub.url, age] as const,
    )
  await say(1)
  await say(0)
  expect(await events(follower, 1)).toEqual(['age 0'])
})

test('a tab that crashed is forgotten', async () => {
  const leader = await tab(['a'])
  const [alive, lost] = [await tab(['alive']), await tab(['lost'])]
  const cdp = await lost.context().newCDPSession(lost)
  const crashed = lost.waitForEvent('crash')
  cdp.send('Page.crash').catch(() => {}) // it never answers
  await crashed
  await leader.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 60_000
  })
  await publish('a', 0) // with this the tabs are counted
  await events(leader, 1)
  // What is wanted less is seen with the next connection.
  await eventually(
    async () => {
      const [client] = await hub.clients()
      if (client) await hub.call('DELETE', `/v1/admin/clients/${client.id}`)
      await leader.evaluate(() => globalThis.spoke.retry())
      return eventually(
        () => hub.clients(),
        (all) => all[0] !== undefined && all[0].id !== client?.id,
      )
    },
    (all) => all[0]?.filters.join() === 'a,alive',
  )
  await publish('alive', 1)
  expect(await events(alive, 1)).toEqual([1])
})

test('a tab that begins at a cursor, or waits for one, has what it missed also when the leader changes', async () => {
  const { cursor } = await publish('elsewhere', 0)
  for (const n of range(0, 5)) await publish('b', n)
  const first = await site.start({ url: hub.url, filters: ['b'], tabs: 'alice', cursor })
  expect(await events(first, 5)).toEqual(range(0, 5)) // nobody led when it was said
  const second = await tab(['a'])
  await second.evaluate((from) => void globalThis.follow(['b'], { cursor: from }), cursor)
  await first.close()
  expect(await events(second, 5)).toEqual(range(0, 5))
})

test('a tab that stood in another log is reset, whoever leads', async () => {
  const leader = await tab(['a'])
  const other = await site.start({ url: hub.url, filters: ['a'], tabs: 'alice', cursor: 'k3v9x1-999999' })
  await publish('a', 1)
  await other.waitForFunction(() => globalThis.seen.resets.length > 0)
  await publish('a', 2)
  await other.waitForFunction(() => globalThis.seen.batches.flat().at(-1)?.data === 2)
  expect((await seen(other)).resets).toEqual(['foreign-epoch'])
  expect((await seen(leader)).resets).toEqual([])
  expect(await events(leader, 2)).toEqual([1, 2])
})

test('switched off is switched off for all tabs, whoever leads, until one switches it on', async () => {
  const [leader, second, third] = [await tab(['a']), await tab(['a']), await tab(['a'])]
  await third.evaluate(() => globalThis.spoke.disable())
  for (const each of [leader, second, third]) await until(each, 'disabled')
  await leader.close()
  await sleep(500)
  expect([await state(second), await state(third)]).toEqual(['disabled', 'disabled'])
  expect(await hub.clients()).toEqual([])
  await third.evaluate(() => globalThis.spoke.enable())
  for (const each of [second, third]) await until(each, 'live')
})

test('tabs that want more together than one connection may have go on with one each', async () => {
  const many = (name: string) => range(0, 60).map((n) => `${name}/${n}`) // of a hundred
  const [one, two] = [await tab(many('one')), await tab(many('two'))]
  await eventually(
    () => hub.clients(),
    (all) => all.length === 2 && all.every(({ filters }) => filters.length >= 60),
  )
  for (const page of [one, two]) await until(page, 'live')
  await publish('one/7', 1)
  await publish('two/59', 2)
  expect(await events(one, 1)).toEqual([1])
  expect(await events(two, 1)).toEqual([2])
  await two.evaluate(() => void globalThis.follow(['more']))
  await eventually(
    () => hub.clients(),
    (all) => all.some(({ filters }) => filters.includes('more')),
  )
  expect([(await seen(one)).refused, (await seen(two)).refused]).toEqual([[], []])
})

test('a tab goes on with a connection of its own when the shared one is closed for good', async () => {
  const [leader, follower] = [await tab(['a']), await tab(['a'])]
  await leader.evaluate((url) => {
    const state = { ...globalThis.spoke.state, name: 'closed' }
    const order = { term: Number(localStorage.getItem('nave/1 term')), order: { kind: 'state', state } }
    new BroadcastChannel(`nave/1 alice ${url}`).postMessage(order)
  }, hub.url)
  await eventually(
    () => hub.clients(),
    (all) => all.length === 2,
  )
  await publish('a', 1)
  expect(await events(follower, 1)).toEqual([1])
  expect((await seen(follower)).states).not.toContain('closed')
})

test('who signs out leaves the others, and who signs in shares with its own', async () => {
  const [alice, changing] = [await tab(['a']), await tab(['a'])]
  await changing.evaluate((url) => {
    globalThis.spoke.close()
    globalThis.start({ url, filters: ['b'], tabs: 'bob' })
  }, hub.url)
  await until(changing, 'live')
  await eventually(
    () => hub.clients(),
    (all) => all.length === 2 && all.every(({ filters }) => filters.length === 1),
  )
  await publish('a', 1)
  await publish('b', 2)
  expect(await events(alice, 1)).toEqual([1])
  expect(await events(changing, 1)).toEqual([2])
  const kept = await changing.evaluate(() => JSON.stringify({ ...localStorage }))
  expect(kept).not.toContain('alice')
})

test('a frame that may have no locks has a connection of its own, and says so', async () => {
  const page = await site.open()
  await page.evaluate(() => {
    const frame = Object.assign(document.createElement('iframe'), { src: '/page' })
    frame.sandbox.add('allow-scripts')
    document.body.append(frame)
  })
  const frame = await eventually(
    () => page.frames()[1],
    (there) => there !== undefined,
  )
  if (frame === undefined) return
  await frame.waitForFunction(() => 'seen' in globalThis)
  await frame.evaluate((url) => globalThis.start({ url, filters: ['a'], tabs: 'alice' }), hub.url)
  const { states, errors } = await eventually(
    () => frame.evaluate(() => globalThis.seen),
    (has) => has.states.length > 0,
  )
  expect(states[0]).toBe('connecting') // the hub need not answer an origin that is none
  expect(errors.join()).toContain('may have no locks')
})
