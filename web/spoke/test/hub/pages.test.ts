import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { events, lifecycle, Site, seen, state, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'

// Pages as people have them: hidden when another is looked at, slowed down then, and frozen.
let hub: Hub
let site: Site
let pages: Page[] = []
beforeAll(async () => {
  hub = await Hub.start({ env: { NAVE_CLIENT_HEARTBEAT: '1s' } })
  site = await Site.start({
    hides: true,
    flags: ['--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/5'], // of five minutes
  })
})
afterAll(async () => {
  await site?.stop()
  await hub?.stop()
})
afterEach(async () => {
  for (const page of pages) await page.close()
  pages = []
})

const publish = (n: number) => hub.publish({ topic: 'a', type: 't', data: n })

async function tab(): Promise<Page> {
  const page = await site.start({ url: hub.url, filters: ['a'], tabs: 'alice' })
  pages.push(page)
  await until(page, 'live')
  return page
}

const visibility = (page: Page) => page.evaluate(() => document.visibilityState)

test('12. a leader that is frozen gives way, and follows when it is not any more', async () => {
  const [leader, follower] = [await tab(), await tab()]
  expect([await visibility(leader), await visibility(follower)]).toEqual(['hidden', 'visible'])
  await lifecycle(leader, 'frozen')
  await publish(1)
  expect(await events(follower, 1)).toEqual([1])
  await lifecycle(leader, 'active')
  await publish(2)
  expect(await events(leader, 2)).toEqual([1, 2])
  expect(await events(follower, 2)).toEqual([1, 2])
  expect((await seen(leader)).resets).toEqual([])
  await until(leader, 'live')
  expect(await hub.clients()).toHaveLength(1)
})

test('a leader that nobody looks at gives way to a tab that is looked at', async () => {
  const leader = await tab()
  const [before] = await hub.clients()
  const follower = await tab()
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1 && all[0]?.id !== before?.id,
  )
  for (let n = 0; n < 10; n++) await publish(n)
  const all = Array.from({ length: 10 }, (_, n) => n)
  expect(await events(follower, 10)).toEqual(all)
  expect(await events(leader, 10)).toEqual(all)
  // It leads itself now, so nothing changes when it is all that is left.
  const [now] = await hub.clients()
  await leader.close()
  await publish(10)
  await events(follower, 11)
  expect((await hub.clients()).map(({ id }) => id)).toEqual([now?.id])
})

test('14. a page that is hidden for long is live, misses nothing, and does not wake the browser', async () => {
  const page = await site.open()
  pages.push(page)
  await page.evaluate((url) => {
    const { setTimeout: slow } = globalThis
    globalThis.wakes = 0
    globalThis.ticks = 0
    globalThis.setTimeout = ((f: () => void, ms: number) =>
      slow(() => {
        globalThis.wakes++
        f()
      }, ms)) as typeof setTimeout
    setInterval(() => globalThis.ticks++, 250)
    globalThis.start({ url, filters: ['a'], tabs: 'alice' })
  }, hub.url)
  await until(page, 'live')
  const [before] = await hub.clients()
  const other = await site.open()
  pages.push(other)
  expect(await visibility(page)).toBe('hidden')
  await sleep(7_000) // and now the browser slows timers down
  await page.evaluate(() => {
    globalThis.wakes = 0
    globalThis.ticks = 0
  })
  let n = 0
  for (const end = Date.now() + 55_000; Date.now() < end; await sleep(1_000)) await publish(n++)
  const { wakes, ticks } = await page.evaluate(() => ({ wakes: globalThis.wakes, ticks: globalThis.ticks }))
  expect(ticks).toBeLessThan(10) // it did
  expect(wakes).toBeLessThanOrEqual(1)
  expect(await state(page)).toBe('live')
  expect((await seen(page)).states).toEqual(['connecting', 'live'])
  expect(await events(page, n)).toEqual(Array.from({ length: n }, (_, i) => i))
  expect((await hub.clients()).map(({ id }) => id)).toEqual([before?.id])
}, 120_000)

declare global {
  var wakes: number
  var ticks: number
}
