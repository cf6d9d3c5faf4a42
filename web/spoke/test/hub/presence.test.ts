import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Site, until } from './browser.js'
import { eventually, Hub } from './hub.js'

let hub: Hub
let site: Site
beforeAll(async () => {
  hub = await Hub.start({ tokens: true, env: { NAVE_PRESENCE_GRACE: '1s' } })
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

async function open(subject: string, tabs?: string): Promise<Page> {
  const token = hub.token({ subject, subscribe: 'boards/**', ttl: '1h' })
  return site.open(`/parts?${new URLSearchParams({ hub: hub.url, token, ...(tabs && { tabs }) })}`)
}

const attend = (page: Page, topic: string, announce = true) =>
  page.evaluate(([t, a]) => globalThis.attend(t, { announce: a }), [topic, announce] as const)
/** Asks every second, where it would every ten. */
const hurry = (page: Page) =>
  page.evaluate(() => {
    const slow = globalThis.setTimeout
    globalThis.setTimeout = ((f: () => void, ms: number) => slow(f, ms === 10_000 ? 1_000 : ms)) as typeof setTimeout
  })
const leave = (page: Page, topic: string) => page.evaluate((t) => globalThis.attending[t]?.close(), topic)
const there = (page: Page, topic: string) =>
  page.evaluate((t) => globalThis.attending[t]?.state.members.map(({ subject }) => subject).join(' '), topic)
const shows = (page: Page, topic: string, subjects: string) =>
  eventually(
    () => there(page, topic),
    (now) => now === subjects,
  )

test('who comes and goes is told, and several tabs are one member', async () => {
  const alice = await open('alice')
  await attend(alice, 'boards/7')
  await shows(alice, 'boards/7', 'alice')
  const [bob, again] = [await open('bob'), await open('bob')]
  await attend(bob, 'boards/7')
  await attend(again, 'boards/7')
  for (const page of [alice, bob, again]) await shows(page, 'boards/7', 'alice bob')
  await again.close()
  await alice.evaluate(() => new Promise((resolve) => setTimeout(resolve, 2_500)))
  expect(await there(alice, 'boards/7')).toBe('alice bob')
  await bob.close()
  await shows(alice, 'boards/7', 'alice')
  expect(await alice.evaluate(() => globalThis.attending['boards/7']?.state.total)).toBe(1)
})

test('who closes it is not seen any more, and the connection goes on', async () => {
  const [alice, bob] = [await open('alice'), await open('bob')]
  for (const page of [alice, bob]) {
    await attend(page, 'boards/7')
    await page.evaluate(() => void globalThis.spoke.subscribe('boards/8', () => {}))
  }
  await shows(alice, 'boards/7', 'alice bob')
  await leave(bob, 'boards/7')
  await shows(alice, 'boards/7', 'alice')
  await attend(bob, 'boards/8')
  await shows(bob, 'boards/8', 'bob')
  expect(await hub.clients()).toHaveLength(2)
})

test('idle members are shown as such', async () => {
  const [alice, bob] = [await open('alice'), await open('bob')]
  for (const page of [alice, bob]) await attend(page, 'boards/7')
  await shows(alice, 'boards/7', 'alice bob')
  const idle = () => alice.evaluate(() => globalThis.attending['boards/7']?.state.members.map((member) => member.idle))
  expect(await idle()).toEqual([false, false])
  await bob.evaluate(async () => {
    const connection = globalThis.attending['boards/7']?.state.members[1]?.connections[0]?.id
    const { http } = globalThis.spoke
    await http.send(http.url('presence'), { method: 'POST', body: JSON.stringify({ connection, idle: true }) })
  })
  await eventually(idle, (now) => now?.join() === 'false,true')
})

test('after the hub is back, and after a reset, the list is whole', async () => {
  const [alice, bob] = [await open('alice'), await open('bob')]
  for (const page of [alice, bob]) await attend(page, 'boards/7')
  await shows(alice, 'boards/7', 'alice bob')
  await hub.down('SIGKILL')
  await bob.close()
  await hub.up()
  await until(alice, 'live')
  await shows(alice, 'boards/7', 'alice')
})

test('tabs that share a connection are seen where any of them is', async () => {
  const [first, second, bob] = [await open('alice', 'a'), await open('alice', 'a'), await open('bob')]
  await attend(first, 'boards/1')
  await attend(second, 'boards/2')
  for (const topic of ['boards/1', 'boards/2']) await attend(bob, topic)
  await shows(bob, 'boards/1', 'alice bob')
  await shows(bob, 'boards/2', 'alice bob')
  await shows(first, 'boards/1', 'alice bob')
  await shows(second, 'boards/2', 'alice bob')
  expect(await hub.clients()).toHaveLength(2)
  await attend(second, 'boards/1') // which the connection has already, so that no list comes
  await shows(second, 'boards/1', 'alice bob')
  await leave(second, 'boards/2')
  await shows(bob, 'boards/2', 'bob')
  await shows(bob, 'boards/1', 'alice bob')
})

test('while it polls one is seen, and asks who else is', async () => {
  const [alice, bob] = [await open('alice'), await open('bob')]
  await hurry(alice)
  await hub.call('PUT', '/v1/admin/level', { level: 'polling', reason: 'test' })
  try {
    await attend(alice, 'boards/7')
    await until(alice, 'polling')
    await shows(alice, 'boards/7', 'alice')
    await attend(bob, 'boards/7')
    await until(bob, 'polling')
    await shows(bob, 'boards/7', 'alice bob')
    await shows(alice, 'boards/7', 'alice bob')
  } finally {
    await hub.call('DELETE', '/v1/admin/level')
  }
})

test('who looks on without being seen asks, if the hub tells only members', async () => {
  const [alice, guest] = [await open('alice'), await open('guest')]
  await hurry(guest)
  await attend(guest, 'boards/7', false)
  await attend(alice, 'boards/7')
  await shows(guest, 'boards/7', 'alice')
  await shows(alice, 'boards/7', 'alice')
})

test('a refusal says why', async () => {
  const alice = await open('alice')
  await attend(alice, 'secrets/7')
  const refused = await eventually(
    () => alice.evaluate(() => globalThis.attending['secrets/7']?.state.refused?.message),
    (message) => message !== undefined,
  )
  expect(refused).toContain('secrets/7')
})
