import { describe, expect, test } from 'vitest'
import { events, seen, state, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'
import { world } from './world.js'

const { hub, proxy, site } = await world({
  env: { NAVE_CLIENT_HEARTBEAT: '1s', NAVE_CLIENT_RETRY: '200ms', NAVE_CLIENT_RETRY_SPREAD: '200ms' },
})

const publish = (n: number) => hub.publish({ topic: 'a', type: 't', data: n })

test('6 and 7. a proxy that holds streams back: polling, and back to live when it does not any more', async () => {
  await proxy.set({ mode: 'hold' })
  const page = await site.start({ url: proxy.url, filters: ['a'] })
  await until(page, 'polling', 10_000)
  await publish(1)
  expect(await events(page, 1)).toEqual([1])
  expect((await seen(page)).states).toEqual(['connecting', 'polling'])

  await proxy.set()
  await publish(2)
  await until(page, 'live', 25_000) // by itself: the next stream is tried after 15 s
  await publish(3)
  expect(await events(page, 3)).toEqual([1, 2, 3])
  const { requests } = await proxy.seen()
  await sleep(1_000)
  expect((await proxy.seen()).requests).toBe(requests) // and no page is asked for
  expect((await seen(page)).errors).toEqual([])
})

test('a stream that was asked for before the first page came goes on from that page', async () => {
  const late = { lateStreams: 1_800, latePages: 2_500 }
  const before = await proxy.set({ mode: 'hold', ...late })
  const page = await site.start({ url: proxy.url, filters: ['late'] })
  await eventually(
    () => proxy.seen(),
    ({ requests, streams }) => requests - streams > before.requests - before.streams,
  )
  await proxy.set(late)
  await sleep(300) // the hub has answered with a page; the next stream is not asked for yet
  await hub.publish({ topic: 'late', type: 't', data: 'between' })
  await until(page, 'live')
  expect(await events(page, 1)).toEqual(['between'])
})

test('3. a connection that is dead and does not say so is noticed by its silence', async () => {
  const page = await site.open()
  await page.clock.install()
  await page.evaluate((url) => globalThis.start({ url, filters: ['dead'] }), proxy.url)
  await until(page, 'live')
  await proxy.set({ mode: 'swallow' })
  await hub.publish({ topic: 'dead', type: 't', data: 'missed' })
  const heartbeatMs = await page.evaluate(() => globalThis.spoke.state.memory.heartbeatMs)
  await page.clock.fastForward(heartbeatMs)
  expect(await state(page)).toBe('live')
  await proxy.set()
  await page.clock.fastForward(1.5 * heartbeatMs + 2_500)
  expect(await page.evaluate(() => globalThis.spoke.state)).toMatchObject({
    name: 'connecting',
    cause: { kind: 'silent' },
  })
  await page.clock.fastForward(2_000) // the pause
  await until(page, 'live')
  expect(await events(page, 1)).toEqual(['missed'])
})

test('who looks at a page again after a long silence does not wait for its end', async () => {
  const page = await site.open()
  await page.clock.install()
  await page.evaluate((url) => globalThis.start({ url, filters: ['a'] }), proxy.url)
  await until(page, 'live')
  await proxy.set({ mode: 'swallow' })
  await page.clock.setSystemTime(Date.now() + 3_600_000) // the machine slept, and its timers with it
  expect(await state(page)).toBe('live')
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  expect(await state(page)).toBe('connecting')
})

test('4. streams that end in good order after a second are not asked for in a loop', async () => {
  const before = (await proxy.set({ lastsMs: 1_000 })).streams
  const page = await site.start({ url: proxy.url, filters: ['short'] })
  await sleep(10_000)
  const at = (await proxy.seen()).streamsAt.slice(before)
  expect(at.length).toBeGreaterThan(1)
  expect(at.length).toBeLessThanOrEqual(1 + Math.log2(10))
  const pauses = at.slice(1).map((ms, i) => ms - (at[i] ?? 0))
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
  await hub.publish({ topic: 'short', type: 't', data: 1 })
  expect(await events(page, 1)).toEqual([1])
})

test('5. who is told to come back after 7 seconds does not come sooner', async () => {
  const before = await proxy.set({ mode: 'busy' })
  const page = await site.start({ url: proxy.url, filters: ['a'] })
  await eventually(
    () => proxy.seen(),
    ({ streams }) => streams === before.streams + 1,
  )
  await page.waitForFunction(
    () => globalThis.spoke.state.name === 'connecting' && globalThis.spoke.state.retryAt !== undefined,
  )
  await proxy.set()
  await until(page, 'live')
  const { requests, streamsAt } = await proxy.seen()
  const [first, second] = streamsAt.slice(before.streams)
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(7_000)
  expect(requests - before.requests).toBe(2)
})

test('9. a network that answers for itself is said to be that, and its end is noticed', async () => {
  await proxy.set({ mode: 'portal' })
  const page = await site.start({ url: proxy.url, filters: ['portal'] })
  await page.waitForFunction(() => {
    const { state } = globalThis.spoke
    return state.name === 'connecting' && state.cause?.kind === 'foreign' && state.cause.status === 200
  })
  expect((await seen(page)).errors).toEqual([])
  await hub.publish({ topic: 'portal', type: 't', data: 'before' })
  await proxy.set()
  await until(page, 'live')
  await hub.publish({ topic: 'portal', type: 't', data: 'after' })
  await page.waitForFunction(() => globalThis.seen.batches.flat().at(-1)?.data === 'after')
})

test('streams that do not last give way to pages', async () => {
  const before = (await proxy.seen()).streams
  const page = await site.start({ url: proxy.url, filters: ['cut'] })
  await until(page, 'live')
  await proxy.cut()
  await until(page, 'connecting')
  await until(page, 'live')
  await proxy.cut()
  await until(page, 'polling')
  await hub.publish({ topic: 'cut', type: 't', data: 1 })
  expect(await events(page, 1)).toEqual([1])
  expect((await proxy.seen()).streams - before).toBe(2)
})

describe('the kill switch', () => {
  // Pages that are waited for are answered within 5 s, so that not all come back at once.
  const backMs = 15_000
  const pin = (level: string) => hub.call('PUT', '/v1/admin/level', { level, reason: 'test' })
  const lift = () => hub.call('DELETE', '/v1/admin/level')

  test('18. ends streams everywhere, asks for none while it holds, and gives them back', async () => {
    const options = { url: proxy.url, filters: ['a'] }
    const pages = [
      await site.start({ ...options, tabs: 'alice' }),
      await site.start({ ...options, tabs: 'alice' }),
      await site.start(options),
    ]
    for (const page of pages) await until(page, 'live')
    await publish(1)
    for (const page of pages) await events(page, 1)

    await pin('polling')
    await Promise.all(pages.map((page) => until(page, 'polling', 1_000)))
    const { streams } = await proxy.seen()
    await publish(2)
    for (const page of pages) expect(await events(page, 2)).toEqual([1, 2])
    await pages[2]?.evaluate(() => globalThis.spoke.retry()) // nor does the application get one
    await sleep(1_500)
    expect((await proxy.seen()).streams).toBe(streams)

    await lift()
    for (const page of pages) await until(page, 'live', backMs)
    await publish(3)
    for (const page of pages) expect(await events(page, 3)).toEqual([1, 2, 3])
  })

  test('without pages too the spoke is disabled, and asks whether it still is', async () => {
    const page = await site.start({ url: proxy.url, filters: ['a'] })
    await until(page, 'live')
    await pin('off')
    await until(page, 'disabled')
    await publish(4)
    await lift()
    await page.evaluate(() => globalThis.spoke.retry()) // it would by itself, within 45 s
    await until(page, 'live')
    expect(await events(page, 1)).toEqual([4])
  })

  test('18. who comes while it holds polls at once, and is live by itself when it does not any more', async () => {
    await pin('polling')
    const page = await site.start({ url: proxy.url, filters: ['a'] })
    await until(page, 'polling', 3_000)
    await sleep(1_000) // the hub has its poll by then: of one that comes later it does not know
    await lift()
    await until(page, 'live', backMs)
  }, 90_000)
})

test('a hub that goes says so, and is found again', async () => {
  const own = await Hub.start({ env: { NAVE_CLIENT_RETRY: '200ms', NAVE_CLIENT_RETRY_SPREAD: '200ms' } })
  const page = await site.start({ url: own.url, filters: ['a'] })
  await until(page, 'live')
  await own.down() // in good order, with hub.bye
  await until(page, 'connecting')
  await own.up()
  await own.publish({ topic: 'a', type: 't', data: 1 })
  await until(page, 'live')
  expect(await events(page, 1)).toEqual([1])
  await own.stop()
})

test('9. an application that answers streams with its own page, and pages too, is not taken for a hub', async () => {
  const page = await site.start({ url: site.url, filters: ['a'] })
  await page.waitForFunction(
    () => globalThis.spoke.state.name === 'connecting' && globalThis.spoke.state.cause !== undefined,
  )
  const state = await page.evaluate(() => globalThis.spoke.state)
  expect(state).toMatchObject({ cause: { kind: 'foreign', status: 200 } })
})

test('16. offline is believed, and online at once', async () => {
  const page = await site.start({ url: proxy.url, filters: ['a'] })
  await until(page, 'live')
  await page.context().setOffline(true)
  await until(page, 'offline')
  await publish(7)
  await page.context().setOffline(false)
  await until(page, 'live', 1_000)
  expect(await events(page, 1)).toEqual([7])
})

test('16. offline that is not true is doubted', async () => {
  const page = await site.open()
  await page.clock.install()
  await page.evaluate((url) => globalThis.start({ url, filters: ['a'] }), proxy.url)
  await until(page, 'live')
  await page.evaluate(() => void dispatchEvent(new Event('offline')))
  expect(await state(page)).toBe('offline')
  await publish(7)
  await page.clock.fastForward(75_000) // a minute, and up to a quarter of luck
  await until(page, 'live')
  expect(await events(page, 1)).toEqual([7])
})

test('a page that is left hangs up, and is live again when it is come back to', async () => {
  const page = await site.start({ url: proxy.url, filters: ['left'] })
  await until(page, 'live')
  await page.goto(`${site.url}/other`)
  await eventually(
    () => hub.clients(),
    (all) => all.length === 0,
  )
  await hub.publish({ topic: 'left', type: 't', data: 'meanwhile' })
  await page.goBack({ waitUntil: 'commit' })
  await until(page, 'live', 5_000) // the same spoke: the page was kept
  expect(await events(page, 1)).toEqual(['meanwhile'])
  expect((await seen(page)).states).toEqual(['connecting', 'live', 'offline', 'connecting', 'live'])
})

test('a page that is frozen hangs up until it is not any more', async () => {
  const page = await site.start({ url: proxy.url, filters: ['frozen'] })
  await until(page, 'live')
  await page.evaluate(() => document.dispatchEvent(new Event('freeze')))
  await until(page, 'offline')
  await hub.publish({ topic: 'frozen', type: 't', data: 1 })
  await page.evaluate(() => document.dispatchEvent(new Event('resume')))
  await until(page, 'live', 3_000)
  expect(await events(page, 1)).toEqual([1])
})

test('polling alone, if that is asked for', async () => {
  const { streams } = await proxy.seen()
  const page = await site.start({ url: proxy.url, filters: ['a'], transport: 'none' })
  await until(page, 'polling')
  await publish(1)
  await publish(2)
  expect(await events(page, 2)).toEqual([1, 2])
  expect((await proxy.seen()).streams).toBe(streams)
})

test('switched off and on by the application', async () => {
  const page = await site.start({ url: proxy.url, filters: ['a'] })
  await until(page, 'live')
  await page.evaluate(() => globalThis.spoke.disable())
  await until(page, 'disabled')
  await eventually(
    () => hub.clients(),
    (all) => all.length === 0,
  )
  await publish(8)
  await page.evaluate(() => globalThis.spoke.enable())
  await until(page, 'live')
  expect(await events(page, 1)).toEqual([8])
})
