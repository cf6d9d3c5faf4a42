import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { events, Site, seen, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'

// These look at time: nothing else runs beside them, and a machine that does more than this gets further tries.
const patient = { retry: 3 }

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

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** The value that all but so many of a hundred stay under. */
const percentile = (values: number[], p: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil((values.length * p) / 100) - 1] ?? Number.NaN

declare global {
  var arrivals: { offset: number; topic: string; sent: number; came: number }[]
}

async function tab(filters: string[]): Promise<Page> {
  const page = await site.start({ url: hub.url, filters, tabs: 'alice' })
  await page.evaluate((all) => {
    globalThis.arrivals = []
    globalThis.spoke.subscribe(all, (batch) => {
      const came = performance.timeOrigin + performance.now()
      for (const { offset = 0, topic, data } of batch)
        globalThis.arrivals.push({ offset, topic, sent: Number(data), came })
    })
  }, filters)
  await until(page, 'live')
  return page
}

test(
  '1. a hundred events a second are there within 100 ms, and from tab to tab within 10',
  patient,
  async ({ skip }) => {
    const [leader, follower] = [await tab(['pace/*']), await tab(['pace/*'])]
    await hub.publish({ topic: 'warm', type: 't' })
    const publishing = []
    const late = []
    const begun = Date.now()
    for (const n of range(0, 1_000)) {
      await sleep(Math.max(0, begun + n * 10 - Date.now()))
      late.push(Date.now() - begun - n * 10)
      publishing.push(hub.publish({ topic: `pace/${n % 4}`, type: 't', data: Date.now() }))
    }
    const offsets = (await Promise.all(publishing)).map(({ events }) => events[0]?.offset)
    await events(follower, 1_000)
    const [led, followed] = [
      await leader.evaluate(() => globalThis.arrivals),
      await follower.evaluate(() => globalThis.arrivals),
    ]
    expect(led.map(({ offset }) => offset)).toEqual(offsets.toSorted((a = 0, b = 0) => a - b))
    expect(followed.map(({ offset }) => offset)).toEqual(led.map(({ offset }) => offset))
    const taken = (arrivals: typeof led) => arrivals.map(({ sent, came }) => came - sent)
    const between = followed.map(({ came }, i) => came - (led[i]?.came ?? 0))
    const slowest = [taken(led), taken(followed), between].map((all) => percentile(all, 99))
    // Where a timer of ten milliseconds is late by twice that, nobody can tell whose time it is.
    if (percentile(late, 99) > 20) skip(`the machine is too busy to measure: ${slowest} ms`)
    expect(Math.max(...slowest.slice(0, 2))).toBeLessThan(100)
    expect(slowest[2]).toBeLessThan(10)
  },
)

describe('11. another tab leads within 200 ms, and nothing is missing or doubled, when the leader', patient, () => {
  const ways: Record<string, (leader: Page) => Promise<unknown>> = {
    'is closed': (leader) => leader.close(),
    'is loaded anew': (leader) => leader.reload(),
    'goes elsewhere': (leader) => leader.goto(`${site.url}/other`),
    crashes: async (leader) => {
      const cdp = await leader.context().newCDPSession(leader)
      cdp.send('Page.crash').catch(() => {}) // it never answers
      await new Promise((resolve) => leader.once('crash', resolve))
    },
  }
  test.each(Object.entries(ways))('%s', async (_, leave) => {
    const [leader, follower] = [await tab(['a']), await tab(['a'])]
    let n = 0
    let going = true
    const publishing = (async () => {
      while (going) {
        await hub.publish({ topic: 'a', type: 't', data: n++ })
        await sleep(2)
      }
    })()
    await events(follower, 10)
    const from = Date.now()
    await leave(leader)
    await sleep(500)
    going = false
    await publishing
    const heard = (await events(follower, n)) as number[]
    expect(heard).toEqual(range(heard[0] ?? 0, n))
    expect((await seen(follower)).resets).toEqual([])
    const came = (await follower.evaluate(() => globalThis.arrivals)).map((arrival) => arrival.came)
    const silences = came.map((at, i) => (at > from ? at - (came[i - 1] ?? at) : 0))
    expect(Math.max(...silences)).toBeLessThan(200)
  })
})
