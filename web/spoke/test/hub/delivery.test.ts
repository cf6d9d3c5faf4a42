import { describe, expect, test } from 'vitest'
import { events, seen, state, until } from './browser.js'
import { eventually, Hub } from './hub.js'
import { world } from './world.js'

const { hub, proxy, site } = await world()

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
let topics = 0
const topic = () => `cards/board-${++topics}`

/** Publishes numbers as the data of events. */
async function publish(to: string, from: number, until: number): Promise<void> {
  for (const n of range(from, until)) await hub.publish({ topic: to, type: 'card.moved', data: n })
}

test('events come live, in order', async () => {
  const to = topic()
  const page = await site.start({ url: hub.url, filters: [to] })
  await until(page, 'live')
  await publish(to, 0, 50)
  expect(await events(page, 50)).toEqual(range(0, 50))
  expect((await seen(page)).states).toEqual(['connecting', 'live'])
  expect((await seen(page)).errors).toEqual([])
})

test('2. over 200 cuts, wherever they fall, nothing is lost, doubled or torn', async () => {
  const to = topic()
  const page = await site.start({ url: proxy.url, filters: [to] })
  await until(page, 'live')
  await page.evaluate(() => {
    // Not to wait for the pauses.
    setInterval(() => {
      const { state } = globalThis.spoke
      if (state.name === 'polling' || (state.name === 'connecting' && state.retryAt !== undefined))
        globalThis.spoke.retry()
    }, 5)
  })
  const before = (await proxy.set({ cutEach: 3_000 })).streams
  await proxy.cut()
  const sizes: number[] = []
  for (; (await proxy.seen()).streams - before < 200; sizes.push((sizes.length % 3) + 1)) {
    const size = (sizes.length % 3) + 1
    await hub.publish(Array.from({ length: size }, () => ({ topic: to, type: 't', data: sizes.length })))
  }
  await proxy.set()
  await page.waitForFunction((last) => globalThis.seen.batches.at(-1)?.[0]?.data === last, sizes.length - 1)
  const { batches, resets, errors } = await seen(page)
  expect(batches.map((batch) => batch.map(({ data }) => data))).toEqual(
    sizes.map((size, i) => Array.from({ length: size }, () => i)),
  )
  expect([resets, errors]).toEqual([[], []])
})

test('8. a proxy that cuts every stream shortly after it has settled does not drive the spoke to polling', async () => {
  const page = await site.open()
  await page.clock.install()
  await page.evaluate((url) => globalThis.start({ url, filters: ['again'] }), proxy.url)
  for (let n = 0; n < 20; n++) {
    await until(page, 'live')
    await hub.publish({ topic: 'again', type: 't', data: n })
    await events(page, n + 1)
    await page.clock.fastForward(10_000) // of 16 seconds: then it counts as one that lasts
    await proxy.cut()
    await until(page, 'connecting')
    await page.clock.fastForward(5_000) // the pause
  }
  await until(page, 'live')
  expect(await events(page, 20)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  expect((await seen(page)).states).not.toContain('polling')
})

test('a hub that is killed and comes back is resumed from', async () => {
  const own = await Hub.start()
  const page = await site.start({ url: own.url, filters: ['a'] })
  await until(page, 'live')
  await own.publish({ topic: 'a', type: 't', data: 1 })
  await events(page, 1)
  await own.down('SIGKILL')
  await until(page, 'connecting')
  await own.up()
  await own.publish({ topic: 'a', type: 't', data: 2 })
  expect(await events(page, 2)).toEqual([1, 2])
  await until(page, 'live')
  await own.stop()
})

describe('batches', () => {
  const both = (n: number) => [
    { topic: 'left/1', type: 't', data: n },
    { topic: 'right/1', type: 't', data: n },
    { topic: 'left/1', type: 't', data: n },
  ]

  test('come whole, to each what it follows', async () => {
    const page = await site.open()
    await page.evaluate((url) => {
      globalThis.start({ url, filters: ['left/*', 'right/*'] })
      globalThis.follow(['left/*'])
    }, hub.url)
    await until(page, 'live')
    await hub.publish(both(1))
    await page.waitForFunction(() => globalThis.seen.batches.length === 2)
    expect((await seen(page)).batches.map((batch) => batch.map((event) => event.topic))).toEqual([
      ['left/1', 'right/1', 'left/1'],
      ['left/1', 'left/1'],
    ])
    expect(await hub.clients()).toHaveLength(1)
  })

  test('come whole over a connection that breaks within one', async () => {
    const page = await site.start({ url: proxy.url, filters: ['left/*', 'right/*'] })
    await until(page, 'live')
    // In the second of three events, after the first has arrived.
    await proxy.set({ cutAfter: { text: '"batch":{"i":1,', bytes: 40 } })
    await hub.publish(both(7))
    await until(page, 'connecting')
    expect((await seen(page)).batches).toEqual([])
    await page.evaluate(() => globalThis.spoke.retry())
    await events(page, 3)
    expect((await seen(page)).batches.map((batch) => batch.map(({ data }) => data))).toEqual([[7, 7, 7]])
  })
})

test('what is followed later joins the connection, and misses nothing of the others', async () => {
  const [one, two] = [topic(), topic()]
  const page = await site.start({ url: hub.url, filters: [one] })
  await until(page, 'live')
  let published = 0
  const publishing = (async () => {
    for (; published < 60; published++) await hub.publish({ topic: one, type: 't', data: published })
  })()
  await eventually(
    () => published,
    (n) => n > 20,
  )
  await page.evaluate((filter) => void globalThis.follow([filter]), two)
  await publishing
  await until(page, 'live')
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1 && all[0]?.filters.length === 2,
  )
  await hub.publish({ topic: two, type: 't', data: 'two' })
  expect(await events(page, 61)).toEqual([...range(0, 60), 'two'])
})

test('what is followed while a page is on its way is not passed over by it', async () => {
  const [one, two] = [topic(), topic()]
  const page = await site.start({ url: proxy.url, filters: [one] })
  await until(page, 'live')
  await publish(one, 0, 1)
  await events(page, 1)

  let asked = () => {}
  const asking = new Promise<void>((resolve) => {
    asked = resolve
  })
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await page.route('**/v1/events?**', async (route) => {
    if (route.request().headers()['accept'] === 'text/event-stream') return route.abort()
    asked()
    await held
    return route.continue()
  })
  await proxy.cut()
  await asking
  await page.evaluate((filter) => void globalThis.follow([filter]), two)
  await publish(two, 1, 2)
  letGo()
  await until(page, 'polling')
  expect(await events(page, 2)).toEqual([0, 1])
})

test('without subscriptions there is no connection, and a change of page does not end it', async () => {
  const page = await site.open()
  await page.evaluate((url) => {
    globalThis.start({ url })
    globalThis.nextToken = undefined
  }, proxy.url)
  expect(await state(page)).toBe('idle')
  const before = (await proxy.seen()).streams
  await page.evaluate(async () => {
    const first = globalThis.follow(['a'])
    await new Promise((resolve) => setTimeout(resolve, 300))
    first()
    const second = globalThis.follow(['a'])
    await new Promise((resolve) => setTimeout(resolve, 300))
    second()
  })
  await until(page, 'idle')
  expect((await proxy.seen()).streams - before).toBe(1)
  await eventually(
    () => hub.clients(),
    (all) => all.length === 0,
  )
})

test('who follows after nobody did begins then, and not where the last one stood', async () => {
  const to = topic()
  const page = await site.open()
  await page.evaluate((url) => globalThis.start({ url }), hub.url)
  const following = await page.evaluateHandle((filter) => ({ end: globalThis.follow([filter]) }), to)
  await until(page, 'live')
  await publish(to, 0, 1)
  await events(page, 1)
  await following.evaluate(({ end }) => end())
  await until(page, 'idle')
  await publish(to, 1, 2)
  await page.evaluate((filter) => void globalThis.follow([filter]), to)
  await until(page, 'live')
  await publish(to, 2, 3)
  expect(await events(page, 2)).toEqual([0, 2])
})

describe('a snapshot', () => {
  test('comes first, then what has happened since', async () => {
    const to = topic()
    for (const n of range(0, 5)) await hub.publish({ topic: to, type: 't', key: `k${n % 2}`, data: n })
    const page = await site.start({ url: hub.url, filters: [to], snapshot: true })
    await page.waitForFunction(() => globalThis.seen.snapshots.length === 1)
    const [snapshot] = (await seen(page)).snapshots
    expect(snapshot?.map(({ key, data }) => [key, data])).toEqual([
      ['k0', 4],
      ['k1', 3],
    ])
    await hub.publish({ topic: to, type: 't', key: 'k1', data: 'new' })
    expect(await events(page, 1)).toEqual(['new'])
  })

  test('is joined without a race: state and events make what was published', async () => {
    const to = topic()
    let published = 0
    let going = true
    const publishing = (async () => {
      while (going) await hub.publish({ topic: to, type: 't', key: `k${published % 3}`, data: published++ })
    })()
    await eventually(
      () => published,
      (n) => n > 20,
    )
    const page = await site.start({ url: hub.url, filters: [to], snapshot: true })
    await events(page, 20)
    going = false
    await publishing
    await page.waitForFunction((last) => globalThis.seen.batches.flat().at(-1)?.data === last, published - 1)
    const { snapshots, batches } = await seen(page)
    const first = Math.max(...(snapshots[0] ?? []).map(({ data }) => Number(data)))
    expect(first).toBeGreaterThan(0)
    expect(batches.flat().map(({ data }) => data)).toEqual(range(first + 1, published))
    expect(snapshots).toHaveLength(1)
  })

  test('comes again after a reset', async () => {
    await hub.publish({ topic: 'state/1', type: 't', key: 'k', data: 1 })
    const page = await site.start({ url: hub.url, filters: ['state/1'], snapshot: true, cursor: 'foreign-7' })
    await page.waitForFunction(() => globalThis.seen.snapshots.length === 1)
    expect((await seen(page)).resets).toEqual(['foreign-epoch'])
    expect((await seen(page)).snapshots[0]).toMatchObject([{ key: 'k', data: 1 }])
  })
})

test('a cursor that cannot be resumed from is a reset, and events go on', async () => {
  const to = topic()
  const page = await site.start({ url: hub.url, filters: [to], cursor: 'k3v9x1-42' })
  await until(page, 'live')
  expect((await seen(page)).resets).toEqual(['foreign-epoch'])
  await publish(to, 0, 2)
  expect(await events(page, 2)).toEqual([0, 1])
})

test('a subscription that goes on from a cursor has what it missed, and the others nothing twice', async () => {
  const to = topic()
  const { cursor } = await hub.publish({ topic: to, type: 't', data: 'before' })
  await publish(to, 0, 3)
  const page = await site.start({ url: hub.url, filters: [to] })
  await until(page, 'live')
  await publish(to, 3, 4)
  await events(page, 1)
  await page.evaluate(([filter, from]) => void globalThis.follow([filter ?? ''], { cursor: from ?? '' }), [to, cursor])
  await events(page, 5)
  await publish(to, 4, 5)
  expect(await events(page, 7)).toEqual([3, 0, 1, 2, 3, 4, 4])
})
