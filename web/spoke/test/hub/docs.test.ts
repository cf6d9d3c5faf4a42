import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Site } from './browser.js'
import { Hub } from './hub.js'

declare global {
  var live: () => void
  var typed: () => Promise<void>
  var people: () => void
  var edited: () => Promise<void>
  var loads: number
  var shown: string[]
}

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

test('the page shows the example', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/spoke.md'), 'utf8')
  const folder = join(import.meta.dirname, '../../examples')
  const example = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('')
  const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? '')
  expect(blocks.length).toBeGreaterThan(5)
  for (const block of blocks) expect(example).toContain(block)
})

test('what polled is live', async () => {
  const page = await site.open(`/example?hub=${hub.url}`)
  await page.evaluate(() => globalThis.live())
  await page.waitForFunction(() => globalThis.loads === 1) // what happened before the connection began
  await hub.publish({ topic: 'cards/board-1', type: 'card.moved', key: 'card-1', data: { column: 'done' } })
  await page.waitForFunction(() => globalThis.loads === 2)
})

test('typed events, a snapshot, and a rebased publish', async () => {
  const page = await site.open(`/example?hub=${hub.url}`)
  await page.evaluate(() => globalThis.typed())
  await page.waitForFunction(() => globalThis.shown.some((text) => text.startsWith('there are')))
  const { items } = await hub.call<{ items: unknown[] }>('GET', '/v1/state?topic=cards/*')
  expect(items).toContainEqual(expect.objectContaining({ key: 'card-42', data: { title: 'Ship it' } }))
  await hub.publish({ topic: 'cards/board-1', type: 'card.moved', key: 'card-42', data: { column: 'sold' } })
  await page.waitForFunction(() => globalThis.shown.includes('card-42 is in sold'))
  expect(await page.evaluate(() => globalThis.shown)).toContain('live')
})

test('a session, and what is done in it', async () => {
  const types = async (topic: string) => {
    const { events } = await hub.call<{ events: { type: string }[] }>(
      'GET',
      `/v1/events?topic=${topic}&cursor=${cursor}`,
    )
    return events.map(({ type }) => type)
  }
  const { cursor } = await hub.publish({ topic: 'elsewhere', type: 't' })
  const page = await site.open(`/example?hub=${hub.url}`)
  await page.evaluate(() => {
    document.body.innerHTML = '<p data-card="42">Ship it</p>'
    globalThis.people()
  })
  await page.click('p')
  await expect.poll(() => types('sessions/alice')).toEqual(['session.started'])
  await page.evaluate(() => document.dispatchEvent(new Event('sign-out')))
  await expect.poll(() => types('sessions/alice')).toEqual(['session.started', 'session.ended'])
  await page.close()
  await expect.poll(() => types('analytics/alice')).toEqual(['card.opened'])
})

test('what is kept, and what is edited', async () => {
  const page = await site.open(`/example?hub=${hub.url}`)
  await page.evaluate(() => globalThis.edited())
  const shown = await page.evaluate(() => globalThis.shown)
  expect(shown.slice(0, 2)).toEqual(['kept on disk', '0 wait'])
  expect(shown).toContain('card-1: Shipped …')
  const { items } = await hub.call<{ items: unknown[] }>('GET', '/v1/state?topic=cards/board-2')
  expect(items).toContainEqual(expect.objectContaining({ key: 'card-1', data: { title: 'Shipped', column: 'doing' } }))
})
