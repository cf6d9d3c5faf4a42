import { afterAll, beforeAll, expect, test } from 'vitest'
import { Site } from './browser.js'
import { Hub, sleep } from './hub.js'

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

test('in strict mode, over changes of route, many components have one connection', async () => {
  const page = await site.open(`/react?hub=${hub.url}`)
  await page.waitForFunction(() => document.getElementById('state')?.textContent === 'live')
  const [before] = await hub.clients()
  for (const route of ['b', 'a', 'b']) {
    await page.click(`#${route}`)
    await page.waitForFunction((r) => document.getElementById('route')?.textContent === r, route)
    await sleep(50)
  }
  const after = await hub.clients()
  expect(after.map(({ id }) => id)).toEqual([before?.id])
  await hub.publish({ topic: 'cards/1', type: 't', data: 'moved' })
  await page.waitForFunction(() => document.querySelectorAll('li').length === 100)
  await page.waitForFunction(() => [...document.querySelectorAll('li')].every((li) => li.textContent === 'moved 1'))
  await page.click('#none')
  await expect.poll(async () => (await hub.clients()).length).toBe(0)
})
