import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Site, until } from './browser.js'
import { Hub } from './hub.js'

/** On a machine with other load. */
const soon = { timeout: 15_000 }

let hub: Hub
let site: Site
beforeAll(async () => {
  hub = await Hub.start({ env: { NAVE_CLIENT_HEARTBEAT: '1s' } })
  site = await Site.start()
})
afterAll(async () => {
  await site?.stop()
  await hub?.stop()
})
beforeEach(() => site.fresh())

const publish = (key: string) =>
  hub.publish({ topic: 'cards/1', type: 'card.moved', key, data: { column: `the column of ${key}` } })

async function open(tabs = ''): Promise<Page> {
  const page = await site.open(`/parts?hub=${hub.url}${tabs && `&tabs=${tabs}`}`)
  await page.evaluate(() => {
    Object.assign(globalThis, { unmount: globalThis.panel(false) })
    globalThis.spoke.subscribe('cards/*', () => {})
  })
  await until(page, 'live')
  return page
}

const fact = (page: Page, name: string) => page.locator(`nave-devtools dt:text-is("${name}") + dd`)
const pill = (page: Page) => page.getByRole('button', { name: /^hub:/ })

test('by keyboard it is opened, read and closed', async () => {
  const page = await open()
  await pill(page).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('status').getByText('live').waitFor()
  expect(await pill(page).getAttribute('aria-expanded')).toBe('true')
  await publish('card-1')
  const event = page.getByText('cards/1 card-1')
  await event.waitFor()
  await page.locator('nave-devtools summary').first().focus()
  await page.keyboard.press('Enter')
  await page.getByText('the column of card-1').waitFor()
  await expect.poll(() => fact(page, 'lag').textContent(), soon).toContain('at the head')
  expect(await fact(page, 'latency').textContent()).toMatch(/p50 \d+ ms, p99 \d+ ms/)
  expect(await fact(page, 'level').textContent()).toBe('normal')
  expect(await fact(page, 'tab').textContent()).toBe('has the stream')
  expect(await fact(page, 'cursor').textContent()).toBe(await page.evaluate(() => globalThis.spoke.cursor))
  await page.keyboard.press('Escape')
  expect(await page.getByRole('status').count()).toBe(0)
  expect(await pill(page).evaluate((it) => it.matches(':focus'))).toBe(true)
})

test('it shows the latest fifty events, and of polling as well', async () => {
  const page = await open()
  await pill(page).click()
  for (let i = 0; i < 60; i++) await publish(`card-${i}`)
  await page.getByText('cards/1 card-59').waitFor()
  await expect.poll(() => page.locator('nave-devtools summary').count(), soon).toBe(50)
  await page.getByRole('button', { name: 'Clear' }).click()
  await expect.poll(() => page.locator('nave-devtools summary').count(), soon).toBe(0)
  await hub.call('PUT', '/v1/admin/level', { level: 'polling', reason: 'test' })
  try {
    await page.getByRole('status').getByText('polling').waitFor()
    await publish('polled')
    await page.getByText('cards/1 polled').waitFor()
    expect(await fact(page, 'level').textContent()).toBe('polling')
  } finally {
    await hub.call('DELETE', '/v1/admin/level')
  }
})

test('it reconnects, and switches off and on', async () => {
  const page = await open()
  await pill(page).click()
  const [before] = await hub.clients()
  await page.getByRole('button', { name: 'Reconnect' }).click()
  await expect.poll(async () => (await hub.clients()).map(({ id }) => id).join(), soon).not.toBe(before?.id)
  await until(page, 'live')
  await page.getByRole('button', { name: 'Disable' }).click()
  await page.getByText('the page has switched it off').waitFor()
  await expect.poll(async () => (await hub.clients()).length, soon).toBe(0)
  await page.getByRole('button', { name: 'Enable' }).click()
  await until(page, 'live')
})

test('of tabs it says which has the stream', async () => {
  const [first, second] = [await open('alice'), await open('alice')]
  await Promise.all([pill(first).click(), pill(second).click()])
  await expect.poll(() => fact(first, 'tab').textContent(), soon).toBe('has the stream')
  await expect.poll(() => fact(second, 'tab').textContent(), soon).toContain('follows another')
})

test('taken away, nothing of it is left', async () => {
  const page = await open()
  await pill(page).click()
  await page.evaluate(() => (globalThis as unknown as { unmount: () => void }).unmount())
  expect(await page.locator('nave-devtools').count()).toBe(0)
  expect(await page.evaluate(() => Object.hasOwn(globalThis.spoke.http, 'send'))).toBe(false)
  await page.evaluate(() => globalThis.panel()) // and it may come back
  await page.getByRole('status').getByText('live').waitFor()
})
