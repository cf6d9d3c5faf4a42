// What the tests of edits do with pages, and look at in the hub.
import type { Page } from 'playwright-core'
import type { Site } from './browser.js'
import type { Options } from './edits-page.js'
import { eventually, type Hub } from './hub.js'
import type { FaultyProxy } from './proxy.js'

export interface Stored {
  readonly topic: string
  readonly key?: string
  readonly data: { readonly title?: string } | number
  readonly id: string
}

export async function openEdits(site: Site, options: Options): Promise<Page> {
  const page = await site.open('/edits')
  await page.evaluate((o) => globalThis.edits.begin(o), options)
  return page
}

/** Cuts the network, after a request with its preflight has passed. */
export async function offline(page: Page, proxy: FaultyProxy): Promise<void> {
  await page.evaluate(() => globalThis.edits.note('warm', 0))
  await drained(page)
  await proxy.set({ mode: 'refuse' })
  await proxy.cut()
}

export function put(page: Page, key: string, title: string, options = {}): Promise<string> {
  return page.evaluate(([k, t, o]) => globalThis.edits.put(k, { title: t }, o), [key, title, options] as const)
}

/** How many items wait. */
export function waiting(page: Page): Promise<number> {
  return page.evaluate(() => globalThis.edits.outbox.items.length)
}

/** Waits until nothing does any more. */
export function drained(page: Page): Promise<number> {
  return eventually(
    () => waiting(page),
    (n) => n === 0,
    30_000,
  )
}

/** What has become of what a page has enqueued. */
export function outcomes(page: Page): Promise<string[]> {
  return page.evaluate(() => globalThis.edits.outcomes)
}

/** Where the hub is. */
export async function here(hub: Hub): Promise<string> {
  return (await hub.publish({ topic: 'elsewhere', type: 't' })).cursor
}

/** What the hub has stored since. */
export async function stored(hub: Hub, from: string): Promise<Stored[]> {
  return (await hub.call<{ events: Stored[] }>('GET', `/v1/events?topic=cards/1&cursor=${from}`)).events
}

/** The titles of cards that the hub has stored since. */
export async function titles(hub: Hub, from: string, key?: string): Promise<(string | undefined)[]> {
  const events = await stored(hub, from)
  return events
    .filter((event) => key === undefined || event.key === key)
    .map(({ data }) => (typeof data === 'object' ? data.title : undefined))
}
