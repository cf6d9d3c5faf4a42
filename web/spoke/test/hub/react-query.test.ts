import { dehydrate, QueryClient } from '@tanstack/react-query'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Site, until } from './browser.js'
import { fetchCards } from './cards.js'
import { eventually, Hub, sleep } from './hub.js'

/** On a machine with other load. */
const soon = { timeout: 15_000 }

let hub: Hub
let site: Site
beforeAll(async () => {
  hub = await Hub.start()
  site = await Site.start()
  await publish('first')
})
afterAll(async () => {
  await site?.stop()
  await hub?.stop()
})
beforeEach(() => site.fresh())

const publish = (data: string, key = '1') => hub.publish({ topic: 'cards/1', type: 'card', key, data })
const fetches = (page: Page) => page.evaluate(() => globalThis.fetches)
const shows = (page: Page, id: string, text: string) =>
  page.waitForFunction(([i, t]) => document.getElementById(i)?.textContent === t, [id, text] as const)

async function open(query: string): Promise<Page> {
  return site.open(`/query?hub=${hub.url}&${query}`)
}

test('queries of all kinds are live, and are fetched once', async () => {
  await publish('todo')
  const page = await open('show=all')
  for (const id of ['plain', 'suspending', 'pages', 'other']) await shows(page, id, 'todo')
  await until(page, 'live')
  await sleep(500)
  const before = await fetches(page)
  await publish('doing')
  for (const id of ['plain', 'suspending', 'pages']) await shows(page, id, 'doing')
  await publish('done')
  for (const id of ['plain', 'suspending', 'pages']) await shows(page, id, 'done')
  await shows(page, 'other', 'todo')
  expect(await fetches(page)).toEqual(before)
  expect(before['plain']).toBe(1)
})

test('what a server has fetched is gone on from: nothing since then is missing, and nothing is fetched again', async () => {
  await publish('rendered')
  const client = new QueryClient()
  await client.prefetchQuery({ queryKey: ['plain', 'cards/1'], queryFn: () => fetchCards(hub.url, 'cards/1') })
  const state = JSON.parse(JSON.stringify(dehydrate(client)))
  client.clear()
  await publish('since then')
  const page = await site.open('/page')
  await page.addInitScript((dehydrated) => Object.assign(globalThis, { dehydrated }), state)
  await page.goto(`${site.url}/query?hub=${hub.url}&show=hydrated`)
  await shows(page, 'plain', 'since then')
  await publish('live')
  await shows(page, 'plain', 'live')
  expect(await fetches(page)).toEqual({})
})

test('19. after a reset the queries that are bound are fetched anew, and no others', async () => {
  await publish('before')
  const page = await open('show=all')
  await until(page, 'live')
  for (const id of ['plain', 'suspending', 'pages', 'other']) await shows(page, id, 'before')
  await hub.down('SIGKILL')
  await until(page, 'connecting')
  await hub.lose()
  await publish('after')
  await until(page, 'live')
  for (const id of ['plain', 'suspending', 'pages']) await shows(page, id, 'after')
  expect((await fetches(page))['other']).toBe(1)
  await shows(page, 'other', 'before')
})

test('21. fifty queries poll while nothing comes, and stop when it does', async () => {
  const page = await open('show=many')
  await until(page, 'live')
  const sum = async () => Object.values(await fetches(page)).reduce((a, b) => a + b, 0)
  const still = async () => {
    await sleep(500) // what was under way
    const before = await sum()
    await sleep(1_500) // five intervals
    expect(await sum()).toBe(before)
    return before
  }
  const live = await still()
  expect(live).toBeLessThanOrEqual(100)
  await page.evaluate(() => globalThis.spoke.disable())
  await eventually(sum, (now) => now >= live + 3 * 50)
  await page.evaluate(() => globalThis.spoke.enable())
  await until(page, 'live')
  await still()
  await publish('and live')
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.one')].every((one) => one.textContent === 'and live'),
  )
})

test('a component binds queries for as long as it is there', async () => {
  await publish('todo')
  const page = await open('show=bound')
  await shows(page, 'bound', 'todo')
  await until(page, 'live')
  await publish('bound')
  await shows(page, 'bound', 'bound')
  await page.click('#hide')
  await expect.poll(async () => (await hub.clients()).length, soon).toBe(0)
})
