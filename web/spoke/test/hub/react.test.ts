import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Site } from './browser.js'
import { Hub, sleep } from './hub.js'

/** On a machine with other load. */
const soon = { timeout: 15_000 }

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

const text = (page: Page, id: string) => page.evaluate((i) => document.getElementById(i)?.textContent ?? '', id)
const go = async (page: Page, route: string) => {
  await page.click(`#${route}`)
  await page.waitForFunction((r) => document.getElementById('route')?.textContent === r, route)
}
const publish = (...data: string[]) => hub.publish(data.map((each) => ({ topic: 'cards/1', type: 't', data: each })))

async function open(query = ''): Promise<Page> {
  const page = await site.open(`/react?hub=${hub.url}${query}`)
  await page.waitForFunction(() => document.getElementById('state')?.textContent === 'live')
  return page
}

test('25. in strict mode, over changes of route, many components have one connection', async () => {
  const page = await open()
  const [before] = await hub.clients()
  for (const route of ['b', 'a', 'b']) {
    await go(page, route)
    await sleep(50)
  }
  const after = await hub.clients()
  expect(after.map(({ id }) => id)).toEqual([before?.id])
  await publish('moved')
  await page.waitForFunction(() => document.querySelectorAll('li').length === 200)
  await page.waitForFunction(() => [...document.querySelectorAll('li')].every((li) => li.textContent === 'moved 1'))
  await go(page, 'none')
  await expect.poll(async () => (await hub.clients()).length, soon).toBe(0)
  await page.close()
})

test('25. a batch is one rendering of all who follow it', async () => {
  const page = await open()
  await page.evaluate(() => Object.assign(globalThis.counts, { passes: 0, ofCard: [] }))
  const batches = 20
  for (let i = 1; i <= batches; i++) await publish(`${i}a`, `${i}b`, `${i}c`)
  await page.waitForFunction(
    (n) => [...document.querySelectorAll('li')].every((li) => li.textContent === `${n}c ${n}`),
    batches,
  )
  const { passes, ofCard } = await page.evaluate(() => globalThis.counts)
  expect(ofCard).toHaveLength(200)
  expect(Math.max(...ofCard)).toBeLessThanOrEqual(batches)
  expect(passes).toBeLessThanOrEqual(batches)
  await page.close()
})

test('25. a hundred times mounted and gone, nothing is left that listens', async () => {
  const page = await open('&cards=20')
  await go(page, 'none')
  await page.waitForFunction(() => document.getElementById('state')?.textContent === 'idle') // presence has settled
  const before = await page.evaluate(() => ({ ...globalThis.counts }))
  await page.evaluate(async () => {
    const turn = () => new Promise((resolve) => setTimeout(resolve, 0))
    for (let i = 0; i < 100; i++) {
      document.getElementById(i % 2 ? 'a' : 'b')?.click()
      await turn()
      document.getElementById('none')?.click()
      await turn()
    }
  })
  await page.waitForFunction(() => document.getElementById('state')?.textContent === 'idle')
  const after = await page.evaluate(() => globalThis.counts)
  expect(after.begun).toBeGreaterThan(before.begun + 100 * 20)
  expect(after.open).toBe(before.open)
  await expect.poll(async () => (await hub.clients()).length, soon).toBe(0)
  expect(after.warnings).toEqual([])
  await page.close()
})

test('what a server has rendered is taken over as it is', async () => {
  const page = await open('&hydrate')
  await page.waitForFunction(() => document.getElementById('people')?.textContent?.startsWith('anonymous'))
  expect(await page.evaluate(() => globalThis.counts.warnings)).toEqual([])
  await page.close()
})

test('a refusal that no component hears of goes to the spoke', async () => {
  const page = await open('&refused')
  await page.waitForFunction(() => globalThis.counts.warnings.some((said) => said.includes('HubError')))
  await page.close()
})

test('presence, and publishing with its state', async () => {
  const page = await open()
  await page.waitForFunction(() => document.getElementById('people')?.textContent?.startsWith('anonymous'))
  await go(page, 'b')
  expect(await text(page, 'people')).toContain('anonymous') // known already
  expect(await text(page, 'publishing')).toBe('quiet  true')
  await page.click('#publish')
  await page.waitForFunction(() => document.querySelector('li')?.textContent === 'mine 1')
  await page.click('#refused')
  await page.waitForFunction(() => document.getElementById('publishing')?.textContent === 'quiet ConflictError true')
  await page.click('#publish')
  await page.waitForFunction(() => document.getElementById('publishing')?.textContent === 'quiet  true')
  expect(await page.evaluate(() => globalThis.counts.warnings)).toEqual([])
  await page.close()
})
