import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { SessionOptions } from '../../src/session/index.js'
import { lifecycle, look, Site, until } from './browser.js'
import { eventually, Hub, sleep } from './hub.js'

declare global {
  var session: import('../../src/session/index.js').Session
  var sessionStates: string[]
  var tracker: import('../../src/session/index.js').Tracker<Record<string, unknown>>
}

interface Said {
  type: string
  key: string
  data?: { state: string; began: string; continued?: boolean; identity?: string; data?: unknown }
}

let hub: Hub
let site: Site
let from: string
beforeAll(async () => {
  hub = await Hub.start({ env: { NAVE_CLIENT_HEARTBEAT: '1s' } })
  site = await Site.start()
})
afterAll(async () => {
  await site?.stop()
  await hub?.stop()
})
beforeEach(async () => {
  await site.fresh()
  from = (await hub.publish({ topic: 'elsewhere', type: 't' })).cursor
})

const topic = 'sessions/alice'

/** All that was published since the test began. */
async function said(on = topic): Promise<Said[]> {
  const all: Said[] = []
  for (let cursor = from; ; ) {
    const page = await hub.call<{ cursor: string; events: Said[] }>('GET', `/v1/events?topic=${on}&cursor=${cursor}`)
    if (page.events.length === 0) return all
    all.push(...page.events)
    cursor = page.cursor
  }
}

const types = async () => (await said()).map(({ type }) => type.replace('session.', ''))
const hears = (what: string[]) => eventually(types, (all) => JSON.stringify(all) === JSON.stringify(what))
const living = async () =>
  (await hub.call<{ items: { key: string }[] }>('GET', `/v1/state?topic=${topic}`)).items.map(({ key }) => key)

async function follow(page: Page, options: Partial<SessionOptions> = {}): Promise<string> {
  return page.evaluate((o) => {
    globalThis.session = globalThis.sessions.trackSession(globalThis.spoke, { topic: 'sessions/alice', ...o })
    globalThis.sessionStates = []
    globalThis.session.watch((state) => globalThis.sessionStates.push(state))
    return globalThis.session.id
  }, options)
}

async function track(page: Page, options = {}): Promise<void> {
  await page.evaluate((o) => {
    globalThis.tracker = globalThis.sessions.createTracker(globalThis.spoke, { topic: 'analytics/alice', ...o })
  }, options)
}

test('a session begins, says that it lives, and ends when its tab is closed', async () => {
  const page = await site.start({ url: hub.url })
  const id = await follow(page, { identity: 'alice', data: { at: 'board' }, heartbeatMs: 400 })
  await eventually(types, (all) => all.filter((type) => type === 'heartbeat').length >= 2)
  const [started] = await said()
  expect(started).toMatchObject({ key: id, data: { state: 'active', identity: 'alice', data: { at: 'board' } } })
  expect(await living()).toContain(id)
  await page.close()
  await eventually(types, (all) => all.at(-1) === 'ended')
  expect(await living()).not.toContain(id)
})

test('who does nothing is idle, and with the first move is back', async () => {
  const page = await site.start({ url: hub.url })
  await follow(page, { idleAfterMs: 1_800 })
  await hears(['started', 'idle'])
  expect((await said()).at(-1)?.data?.state).toBe('idle')
  await page.mouse.move(50, 60)
  await hears(['started', 'idle', 'active'])
  for (let i = 0; i < 5; i++) {
    await sleep(500)
    await page.keyboard.press('a')
  }
  expect(await types()).toEqual(['started', 'idle', 'active']) // for two seconds and more
  await hears(['started', 'idle', 'active', 'idle'])
  expect(await page.evaluate(() => globalThis.sessionStates)).toEqual(['idle', 'active', 'idle'])
})

test('who is at one tab is idle in none', async () => {
  const [looked, other] = [await site.start({ url: hub.url }), await site.start({ url: hub.url })]
  const ids = [await follow(looked, { idleAfterMs: 1_500 }), await follow(other, { idleAfterMs: 1_500 })]
  expect(ids[0]).not.toBe(ids[1])
  for (let i = 0; i < 10; i++) {
    await looked.mouse.move(i, i)
    await sleep(400)
  }
  expect(await types()).toEqual(['started', 'started'])
  await eventually(types, (all) => all.filter((type) => type === 'idle').length === 2)
  // What a tab has said before the machine slept comes when it wakes up.
  await looked.evaluate(() => new BroadcastChannel('nave/activity ').postMessage(Date.now() - 5_000))
  await sleep(300)
  expect(await types()).not.toContain('active')
  await looked.mouse.move(99, 99)
  await eventually(types, (all) => all.filter((type) => type === 'active').length === 2)
})

test('presence hears that somebody is idle, and is back, also on a new connection', async () => {
  const page = await site.open()
  await page.evaluate(() => {
    const { fetch } = globalThis
    globalThis.fetch = (url, init) => fetch(String(url).replace('/events?', '/events?presence=boards/7&'), init)
  })
  await page.evaluate((url) => globalThis.start({ url, filters: ['a'] }), hub.url)
  await until(page, 'live')
  const idle = async () => {
    const { topics } = await hub.call<{ topics: { members: { connections: { id: string; idle: boolean }[] }[] }[] }>(
      'GET',
      '/v1/presence?topic=boards/7',
    )
    return topics[0]?.members.flatMap(({ connections }) => connections) ?? []
  }
  await follow(page, { idleAfterMs: 1_000 })
  await eventually(idle, (all) => all.length === 1 && all[0]?.idle === true)
  const [before] = await idle()
  await hub.call('DELETE', `/v1/admin/clients/${before?.id}`)
  await eventually(idle, (all) => all.some((one) => one.id !== before?.id && one.idle))
  await page.mouse.move(10, 10)
  await eventually(idle, (all) => all.some((one) => !one.idle))
})

test('of tabs that share a connection one tells presence', async () => {
  const tabs = [await site.open(), await site.open(), await site.open()]
  const told: string[] = []
  for (const page of tabs) {
    page.on('request', (request) => {
      if (request.url().endsWith('/presence') && request.method() === 'POST') told.push(request.postData() ?? '')
    })
    await page.evaluate((url) => globalThis.start({ url, filters: ['a'], tabs: 'alice' }), hub.url)
    await until(page, 'live')
  }
  for (const page of tabs) await follow(page, { idleAfterMs: 1_500 })
  const [connection] = await hub.clients()
  await eventually(
    () => told,
    (all) => all.length > 0,
  )
  await sleep(1_500)
  expect(told).toEqual([JSON.stringify({ connection: connection?.id, idle: true })])
})

test('a tab that is hidden is not woken up while somebody is at another', async () => {
  const window = await Site.start({ hides: true })
  try {
    const hidden = await look(window)
    await hidden.evaluate((url) => {
      const wakes: string[] = []
      const { setTimeout } = globalThis
      globalThis.setTimeout = ((f: () => void, ms: number) =>
        setTimeout(() => {
          wakes.push(`after ${ms}`)
          f()
        }, ms)) as typeof globalThis.setTimeout
      Object.assign(globalThis, { wakes })
      globalThis.start({ url })
    }, hub.url)
    await follow(hidden)
    const looked = await look(window)
    await looked.evaluate((url) => globalThis.start({ url }), hub.url)
    await follow(looked)
    await hidden.evaluate(() => {
      const channel = new BroadcastChannel('nave/activity ')
      channel.onmessage = () => (globalThis as unknown as { wakes: string[] }).wakes.push('told')
    })
    for (let i = 0; i < 40; i++) {
      await looked.mouse.move(i, i)
      await sleep(100)
    }
    expect(await hidden.evaluate(() => (globalThis as unknown as { wakes: string[] }).wakes)).toEqual([])
  } finally {
    await window.stop()
  }
})

test('a reload goes on with the session, and a copy of the tab begins another', async () => {
  const page = await site.start({ url: hub.url })
  const id = await follow(page)
  await hears(['started'])
  await page.reload()
  await page.evaluate((url) => globalThis.start({ url }), hub.url)
  expect(await follow(page, { heartbeatMs: 1_000 })).toBe(id)
  const copied = await page.evaluate(() => ({ ...sessionStorage }))
  const all = await eventually(said, (all) => all.filter(({ type }) => type === 'session.started').length === 2)
  const [first, second] = all.filter(({ type }) => type === 'session.started')
  expect(second).toMatchObject({ key: id, data: { began: first?.data?.began, continued: true } })
  // The page that goes and the one that comes send at once: whichever is first, it lives.
  await eventually(types, (all) => all.includes('ended'))
  await eventually(living, (ids) => ids.includes(id))

  const copy = await site.start({ url: hub.url })
  await copy.evaluate((all) => Object.assign(sessionStorage, all), copied)
  expect(await follow(copy)).not.toBe(id)
})

test('15. who leaves the page and comes back by the cache goes on with the session', async () => {
  const page = await site.start({ url: hub.url })
  const id = await follow(page, { idleAfterMs: 3_000 })
  await hears(['started'])
  await page.goto(`${site.url}/other`)
  await hears(['started', 'ended'])
  expect(await living()).not.toContain(id)
  await sleep(3_500) // and is not idle
  await page.goBack({ waitUntil: 'commit' })
  await hears(['started', 'ended', 'started'])
  expect(await page.evaluate(() => [globalThis.session.id, globalThis.session.state])).toEqual([id, 'active']) // it was kept
  expect((await said()).at(-1)).toMatchObject({ key: id, data: { continued: true } })
})

test('who signs out ends the session, and who only stops following goes on with it', async () => {
  const page = await site.start({ url: hub.url })
  const id = await follow(page)
  await page.evaluate(() => globalThis.session.close())
  expect(await follow(page)).toBe(id)
  await page.evaluate(() => globalThis.session.end())
  await hears(['started', 'started', 'ended'])
  expect(await follow(page)).not.toBe(id)
})

test('a page that was frozen is idle when it thaws, and says little while it is hidden', async () => {
  const window = await Site.start({ hides: true })
  try {
    const page = await look(window)
    await page.evaluate((url) => globalThis.start({ url }), hub.url)
    await follow(page, { idleAfterMs: 1_500, heartbeatMs: 1_000 })
    await look(window)
    await page.waitForFunction(() => document.visibilityState === 'hidden')
    await lifecycle(page, 'frozen')
    await sleep(500) // what was under way arrives
    const before = await types()
    await sleep(2_000)
    expect(await types()).toEqual(before)
    await lifecycle(page, 'active')
    await eventually(types, (all) => all.at(-1) === 'idle')
    const after = await types()
    await sleep(2_000) // heartbeats would be due, of somebody who is there
    expect(await types()).toEqual(after)
    await page.bringToFront()
    await eventually(types, (all) => all.at(-1) === 'active')
  } finally {
    await window.stop()
  }
})

test('what was tracked is sent when the page is hidden', async () => {
  const window = await Site.start({ hides: true })
  try {
    const page = await look(window)
    await page.evaluate((url) => globalThis.start({ url }), hub.url)
    await track(page, { everyMs: 600_000 })
    await page.evaluate(() => globalThis.tracker.track('card.opened', { card: 7 }))
    await sleep(500)
    expect(await said('analytics/alice')).toEqual([])
    await look(window)
    await eventually(
      () => said('analytics/alice'),
      (all) => all.length === 1,
    )
  } finally {
    await window.stop()
  }
})

test('25. what was tracked arrives when the page is left', async () => {
  const page = await site.start({ url: hub.url })
  await page.evaluate(() => {
    addEventListener(
      'pagehide',
      () => {
        for (let i = 0; i < 100; i++) globalThis.tracker.track('card.opened', { i, text: 'x'.repeat(400) })
      },
      { capture: true, once: true },
    )
  })
  await track(page, { everyMs: 600_000, most: 200 }) // which hears of it after those who track
  const sizes: number[] = []
  page.on('request', (request) => {
    if (request.method() === 'POST') sizes.push(request.postData()?.length ?? 0)
  })
  await page.goto('about:blank')
  await eventually(
    async () => (await said('analytics/alice')).length,
    (count) => count === 100,
  )
  expect(
    (await said('analytics/alice'))
      .map(({ data }) => (data as { i?: number } | undefined)?.i)
      .sort((a = 0, b = 0) => a - b),
  ).toEqual(Array.from({ length: 100 }, (_, i) => i))
  for (const size of sizes) expect(size).toBeLessThanOrEqual(32_768)
})

test('what does not fit into one request when the page is left goes by a beacon', async () => {
  const page = await site.start({ url: hub.url })
  await track(page, { everyMs: 600_000, most: 200 })
  const kinds: string[] = []
  page.on('request', (request) => kinds.push(request.resourceType()))
  await page.evaluate(() => {
    for (let i = 0; i < 100; i++) globalThis.tracker.track('card.opened', { i, text: 'x'.repeat(400) })
    dispatchEvent(new Event('pagehide'))
  })
  await eventually(
    async () => (await said('analytics/alice')).length,
    (count) => count === 100,
  )
  expect(kinds.filter((kind) => kind === 'ping')).toHaveLength(1)
  expect(await page.evaluate(() => globalThis.tracker.dropped)).toBe(0)
})

test('while the hub sheds load nothing is tracked, and sessions say less', async () => {
  const page = await site.start({ url: hub.url, filters: ['a'] })
  await until(page, 'live')
  await follow(page, { heartbeatMs: 500 })
  await track(page, { everyMs: 200 })
  await eventually(types, (all) => all.filter((type) => type === 'heartbeat').length >= 3)
  await page.evaluate(() => globalThis.tracker.track('before'))
  await eventually(
    () => said('analytics/alice'),
    (all) => all.length === 1,
  )
  await hub.call('PUT', '/v1/admin/level', { level: 'shed', reason: 'a test' })
  await page.waitForFunction(() => globalThis.spoke.state.memory.level === 'shed')
  await page.evaluate(() => globalThis.tracker.track('during'))
  await sleep(600) // one that was due already
  const before = (await types()).length
  await sleep(3_000)
  expect((await types()).length - before).toBeLessThanOrEqual(2) // and not six
  await hub.call('DELETE', '/v1/admin/level')
  await page.waitForFunction(() => globalThis.spoke.state.memory.level === 'normal')
  await page.evaluate(() => globalThis.tracker.track('after'))
  const stored = await eventually(
    () => said('analytics/alice'),
    (all) => all.length === 2,
  )
  expect(stored.map(({ type }) => type)).toEqual(['before', 'after'])
  expect(await page.evaluate(() => globalThis.tracker.dropped)).toBe(1)
})
