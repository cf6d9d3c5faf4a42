import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { events, Site, seen, state, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'

let hub: Hub
let site: Site
beforeAll(async () => {
  hub = await Hub.start({
    tokens: true,
    env: { NAVE_AUTH_LEEWAY: '0s', NAVE_CLIENT_RETRY: '200ms', NAVE_CLIENT_RETRY_SPREAD: '200ms' },
  })
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

const alice = (ttl: string) => hub.token({ subject: 'alice', subscribe: 'cards/**', publish: 'cards/**', ttl })

/** A page whose application gives these tokens, the last for ever. */
async function withTokens(tokens: (string | null)[]) {
  const page = await site.open()
  await page.evaluate((all) => {
    globalThis.nextToken = async () => (all.length > 1 ? all.shift() : all[0]) ?? null
  }, tokens)
  return page
}

test('a token that is refused is asked for anew, once, and then it is live', async () => {
  const page = await withTokens(['not.a.token', alice('1h')])
  await page.evaluate((url) => globalThis.start({ url, filters: ['cards/1'], token: true }), hub.url)
  await until(page, 'live')
  expect((await seen(page)).tokens).toEqual(['first', 'refused'])
  expect((await seen(page)).states).toEqual(['connecting', 'live'])
})

test('a token that stays refused is the end, until the application says otherwise', async () => {
  const page = await withTokens(['no', 'nor.this', alice('1h')])
  await page.evaluate((url) => globalThis.start({ url, filters: ['cards/1'], token: true }), hub.url)
  await until(page, 'unauthorised')
  await sleep(1_000)
  expect((await seen(page)).tokens).toEqual(['first', 'refused'])
  await page.evaluate(() => globalThis.spoke.retry())
  await until(page, 'live')
})

test('nobody who is to have a token is anonymous without', async () => {
  const page = await withTokens([null])
  await page.evaluate((url) => globalThis.start({ url, filters: ['cards/1'], token: true }), hub.url)
  await until(page, 'unauthorised')
})

test('17. a token that ends is replaced without the stream', async () => {
  const page = await withTokens([alice('4s'), alice('1h')])
  await page.evaluate((url) => globalThis.start({ url, filters: ['cards/1'], token: true }), hub.url)
  await until(page, 'live')
  const [before] = await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
  await eventually(
    () => seen(page),
    ({ tokens }) => tokens.length === 2,
  )
  await sleep(1_500) // past the end of the first
  const [after] = await hub.clients()
  expect(after?.id).toBe(before?.id)
  expect((await seen(page)).tokens).toEqual(['first', 'expiring'])
  expect((await seen(page)).states).toEqual(['connecting', 'live'])
})

test('a token that is revoked ends the stream, which comes back with another', async () => {
  const page = await withTokens([alice('1h'), hub.token({ subject: 'alice2', subscribe: 'cards/**', ttl: '1h' })])
  await page.evaluate((url) => globalThis.start({ url, filters: ['cards/1'], token: true }), hub.url)
  await until(page, 'live')
  const [client] = await eventually(
    () => hub.clients(),
    (all) => all.length === 1,
  )
  await hub.call('POST', '/v1/admin/revocations', { connection: client?.id, reason: 'test' })
  await eventually(
    () => hub.clients(),
    (all) => all.length === 1 && all[0]?.id !== client?.id,
  )
  expect((await seen(page)).tokens).toEqual(['first', 'refused'])
})

test('17. five tabs ask for one token, and when it is refused for one more', async () => {
  const tokens = [alice('1h'), hub.token({ subject: 'alice2', subscribe: 'cards/**', ttl: '1h' })]
  const tabs = []
  for (let i = 0; i < 5; i++) {
    const page = await withTokens(tokens)
    await page.evaluate((url) => globalThis.start({ url, filters: ['cards/1'], token: true, tabs: 'alice' }), hub.url)
    await until(page, 'live')
    tabs.push(page)
  }
  const [client] = await hub.clients()
  await hub.call('POST', '/v1/admin/revocations', { connection: client?.id, reason: 'test' })
  const [after] = await eventually(
    () => hub.clients(),
    (all) => all.length === 1 && all[0]?.id !== client?.id,
  )
  expect([client?.subject, after?.subject]).toEqual(['alice', 'alice2'])
  for (const page of tabs) await until(page, 'live')
  const asked = await Promise.all(tabs.map(async (page) => (await seen(page)).tokens))
  expect(asked.flat()).toEqual(['first', 'refused'])
})

test('a filter that is not granted is refused, and the others go on', async () => {
  const page = await withTokens([alice('1h')])
  await page.evaluate((url) => {
    globalThis.start({ url, filters: ['cards/1'], token: true })
    globalThis.follow(['users/bob'])
    globalThis.follow(['cards/***'])
  }, hub.url)
  await until(page, 'live')
  const { refused } = await seen(page)
  expect(refused).toHaveLength(2)
  expect(refused.join()).toContain('users/bob')
  await hub.publish({ topic: 'cards/1', type: 't', data: 1 })
  expect(await events(page, 1)).toEqual([1])
  expect(await state(page)).toBe('live')
})

describe('an EventSource', () => {
  test('comes with a ticket, and with another each time', async () => {
    const page = await withTokens([alice('1h')])
    await page.evaluate(
      (url) =>
        globalThis.start({ url, filters: ['cards/2'], token: true, transport: 'eventsource', types: ['card.moved'] }),
      hub.url,
    )
    await until(page, 'live')
    await hub.publish([
      { topic: 'cards/2', type: 'card.moved', data: 1 },
      { topic: 'cards/2', type: 'card.moved', data: 2 },
    ])
    await events(page, 2)
    const [client] = await eventually(
      () => hub.clients(),
      (all) => all.length === 1,
    )
    await hub.call('DELETE', `/v1/admin/clients/${client?.id}`)
    await hub.publish({ topic: 'cards/2', type: 'card.moved', data: 3 })
    expect(await events(page, 3)).toEqual([1, 2, 3])
    expect((await seen(page)).batches.map((batch) => batch.length)).toEqual([2, 1])
    await until(page, 'live')
  })
})
