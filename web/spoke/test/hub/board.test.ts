import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Site } from './browser.js'
import { Hub } from './hub.js'

declare global {
  var rendered: string[]
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

const text = (page: Page, id: string, is: string) =>
  page.waitForFunction(([i, t]) => document.getElementById(i)?.textContent === t, [id, is] as const)

test('a live state and an outbox are rendered, in strict mode, over one connection', async () => {
  await hub.publish({ topic: 'r/1', type: 'card', key: 'a', data: { title: 'one' } })
  await hub.publish({ topic: 'r/2', type: 'card', key: 'b', data: { title: 'two' } })
  const page = await site.open(`/board?hub=${hub.url}`)
  await text(page, 'cards', 'a one')
  await text(page, 'waiting', '0 disk')
  expect(await hub.clients()).toHaveLength(1)
  await page.click('#add')
  await page.click('#add')
  await text(page, 'cards', 'a one, mine ++')
  const rendered = await page.evaluate(() => globalThis.rendered)
  const titles = rendered.flatMap((line) => /mine (\++)/.exec(line)?.[1] ?? [])
  expect(titles).toEqual([...titles].sort()) // never one less after one more
  expect(rendered).toContain('r/1: a one, mine + pending')

  await page.click('#r-2')
  await text(page, 'cards', 'b two')
  const others = (await page.evaluate(() => globalThis.rendered)).filter((line) => line.startsWith('r/2'))
  expect(others.filter((line) => line.includes('one'))).toEqual([])
  expect(await hub.clients()).toHaveLength(1)
})
