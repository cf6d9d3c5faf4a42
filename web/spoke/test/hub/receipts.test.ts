import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ReceiptOptions } from '../../src/receipts/index.js'
import { events, look, Site, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'

declare global {
  var sending: import('../../src/receipts/index.js').Receipts
}

let hub: Hub
let site: Site
beforeAll(async () => {
  site = await Site.start()
})
afterAll(async () => {
  await site?.stop()
})
beforeEach(async () => {
  await site.fresh()
  hub = await Hub.start({ env: { NAVE_CLIENT_HEARTBEAT: '1s', NAVE_TELEMETRY_RECEIPTS: '1' } })
  return () => hub.stop()
})

/** What the hub has made of receipts, by result, and how long events took in all, in seconds. */
async function metrics() {
  const text = await (await fetch(`${hub.url}/metrics`)).text()
  const of = (line: RegExp) => Number(line.exec(text)?.[1] ?? 0)
  const results: Record<string, number> = {}
  for (const [, labels, count] of text.matchAll(/^nave_delivery_receipts_total\{(.*)\} (\d+)$/gm)) {
    results[/"([^"]+)"/.exec(labels ?? '')?.[1] ?? ''] = Number(count)
  }
  return {
    results,
    received: of(/^nave_delivery_received_duration_seconds_sum\{.*\} (\S+)$/m),
    rendered: of(/^nave_delivery_rendered_duration_seconds_sum\{.*\} (\S+)$/m),
    renderings: of(/^nave_delivery_rendered_duration_seconds_count\{.*\} (\S+)$/m),
  }
}

/** Waits until there are so many, and sees that no more come: pages wait for a fifth of a second. */
async function counts(count: number) {
  await eventually(metrics, ({ results }) => Object.values(results).reduce((sum, n) => sum + n, 0) >= count)
  await sleep(700)
  return metrics()
}

/** How many were good: whatever else there was fails. On a busy machine a page's word of its clock may have been moved. */
function good({ results: { counted = 0, moved = 0, ...rest } }: Awaited<ReturnType<typeof metrics>>): number {
  expect(rest).toEqual({})
  return counted + moved
}

async function follow(page: Page, tabs?: string): Promise<void> {
  await page.evaluate((o) => globalThis.start(o), { url: hub.url, filters: ['a'], ...(tabs && { tabs }) })
  await until(page, 'live')
}

async function heartbeat(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        globalThis.spoke.listen((said) => said.kind === 'heartbeat' && resolve())
      }),
  )
}

async function tell(page: Page, options: ReceiptOptions = { everyMs: 200 }): Promise<void> {
  await page.evaluate((o) => {
    globalThis.sending = globalThis.receipts.sendReceipts(globalThis.spoke, o)
  }, options)
  await heartbeat(page) // now it knows that the stream goes on without delay
}

const publish = async (from: number, to: number) => {
  for (let data = from; data < to; data++) await hub.publish({ topic: 'a', type: 't', data })
}

test('the hub learns how long events take, from a page whose clock is two hours ahead', async () => {
  const page = await site.open()
  await page.evaluate(() => {
    const { now } = Date
    const { timeOrigin } = performance
    Date.now = () => now() + 7_200_000
    Object.defineProperty(performance, 'timeOrigin', { get: () => timeOrigin + 7_200_000 })
  })
  await follow(page)
  await tell(page)
  for (let n = 0; n < 40; n += 5) {
    await publish(n, n + 5)
    await sleep(150)
  }
  const found = await counts(40)
  const { received, rendered, renderings } = found
  expect(good(found)).toBe(40)
  expect(renderings).toBe(40)
  expect(received / 40).toBeGreaterThan(0)
  expect(received / 40).toBeLessThan(1) // and not two hours, whatever else the machine does
  expect(rendered).toBeGreaterThan(received)
})

test('the application may say itself when an event is rendered', async () => {
  const page = await site.open()
  await follow(page)
  await tell(page, { everyMs: 1_500, rendered: 'told' })
  await publish(0, 2)
  await events(page, 2)
  await sleep(300)
  await page.evaluate(() => {
    const [event] = globalThis.seen.batches.flat()
    if (event) globalThis.sending.rendered(event)
  })
  const found = await counts(2)
  const { renderings, rendered, received } = found
  expect([good(found), renderings]).toEqual([2, 1])
  expect(rendered - received / 2).toBeGreaterThan(0.2)
})

test('of tabs that share a connection one tells, of each event once', async () => {
  const tabs = [await site.open(), await site.open(), await site.open()]
  for (const page of tabs) await follow(page, 'alice')
  for (const page of tabs) {
    await page.evaluate(() => {
      globalThis.sending = globalThis.receipts.sendReceipts(globalThis.spoke, { everyMs: 200 })
    })
  }
  const [client] = await hub.clients()
  for (const page of tabs) {
    const state = await page.evaluate(() => globalThis.spoke.state)
    expect(state).toMatchObject({ connection: client?.id, memory: { receipts: 1, level: 'normal' } })
  }
  await sleep(1_500)
  await publish(0, 10)
  for (const page of tabs) await events(page, 10)
  expect(good(await counts(10))).toBe(10)
})

test('15. what was replayed, and what comes around a jump of the clock, is left out', async () => {
  const page = await site.open()
  await follow(page)
  await tell(page)
  await page.goto(`${site.url}/other`)
  await publish(0, 5)
  await page.goBack({ waitUntil: 'commit' })
  await events(page, 5)
  await heartbeat(page)
  await publish(5, 8)
  expect(good(await counts(3))).toBe(3)
  await heartbeat(page) // the next one, after which all is well again, is a second away
  await page.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 10_000
  })
  await publish(8, 10)
  await events(page, 10)
  await heartbeat(page)
  await publish(10, 12)
  expect(good(await counts(5))).toBe(5)
})

test('what comes while nobody looks is left out', async () => {
  const window = await Site.start({ hides: true })
  try {
    const page = await look(window)
    await follow(page)
    await tell(page)
    const other = await look(window)
    await page.waitForFunction(() => document.visibilityState === 'hidden')
    await heartbeat(page)
    await publish(0, 5)
    await page.waitForFunction(() => globalThis.seen.batches.flat().length === 5)
    await other.close()
    await page.bringToFront()
    await page.waitForFunction(() => document.visibilityState === 'visible')
    await heartbeat(page)
    await publish(5, 8)
    expect(good(await counts(3))).toBe(3)
  } finally {
    await window.stop()
  }
})

test('what waits when the page is left is told by a beacon', async () => {
  const page = await site.open()
  await follow(page)
  await tell(page, { everyMs: 600_000 })
  await publish(0, 5)
  await events(page, 5)
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))))
  expect((await metrics()).results).toEqual({})
  await page.goto('about:blank')
  const { renderings } = await counts(5)
  expect(renderings).toBe(5)
})

test('while the hub sheds load nothing is told', async () => {
  const page = await site.open()
  await follow(page)
  await tell(page)
  const asked: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/receipts')) asked.push(request.method())
  })
  await hub.call('PUT', '/v1/admin/level', { level: 'shed', reason: 'a test' })
  await page.waitForFunction(() => globalThis.spoke.state.memory.level === 'shed')
  await publish(0, 5)
  await events(page, 5)
  await sleep(800)
  expect(asked).toEqual([])
  await hub.call('DELETE', '/v1/admin/level')
  await page.waitForFunction(() => globalThis.spoke.state.memory.receipts === 1)
  await publish(5, 7)
  expect(good(await counts(2))).toBe(2)
})

test('one trace runs from the page that publishes to the one that renders', async () => {
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const spans: Buffer[] = []
  const otlp = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => spans.push(chunk)).on('end', () => response.end())
  }).listen(0, '127.0.0.1')
  await once(otlp, 'listening')
  const address = otlp.address()
  await hub.stop()
  hub = await Hub.start({
    env: {
      NAVE_CLIENT_HEARTBEAT: '1s',
      NAVE_TELEMETRY_RECEIPTS: '1',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${typeof address === 'object' && address?.port}/v1/traces`,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
  })
  const page = await site.open()
  await follow(page)
  await tell(page)
  const publisher = await site.start({ url: hub.url, traceparent: `00-${trace}-b7ad6b7169203331-01` })
  await publisher.evaluate(() => globalThis.spoke.publish({ topic: 'a', type: 't', data: 1 }))
  await events(page, 1)
  const [event] = await page.evaluate(() => globalThis.seen.batches.flat())
  expect(event?.traceparent?.split('-')[1]).toBe(trace)
  // A span has its trace, then its name.
  await eventually(
    () => Buffer.concat(spans).toString('latin1'),
    (all) =>
      all.split(Buffer.from(trace, 'hex').toString('latin1')).some((span) => span.slice(0, 100).includes('process ')),
  )
  otlp.close()
})
