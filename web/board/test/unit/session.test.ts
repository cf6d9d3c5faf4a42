import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Ask } from '../../src/api.js'
import { pollSession } from '../../src/session.js'

let said: { path: string; body: unknown }[]
const ask: Ask = async (_method, path, body) => {
  said.push({ path, body })
  return undefined as never
}

let page: EventTarget & { hidden: boolean }
let tab: EventTarget

beforeEach(() => {
  vi.useFakeTimers()
  said = []
  page = Object.assign(new EventTarget(), { hidden: false })
  tab = new EventTarget()
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', tab.addEventListener.bind(tab))
  vi.stubGlobal('navigator', {
    sendBeacon: (_: string, blob: Blob) =>
      void blob.text().then((text) => said.push({ path: 'beacon', body: JSON.parse(text) })),
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function states(): unknown[] {
  return said.flatMap(({ body }) => (typeof body === 'object' && body && 'state' in body ? [body.state] : []))
}

test('a session that polls says every 30 s whether somebody is there, and when it ends', async () => {
  const session = pollSession(ask)
  await vi.advanceTimersByTimeAsync(95_000)
  expect(states()).toEqual(['started', 'active', 'idle', 'idle'])
  page.dispatchEvent(new Event('keydown'))
  await vi.advanceTimersByTimeAsync(30_000)
  expect(states().at(-1)).toBe('active')
  session.close()
  await vi.advanceTimersByTimeAsync(90_000)
  expect(states().slice(-2)).toEqual(['active', 'ended'])
})

test('a page that is left says so, and nothing is said twice', async () => {
  const session = pollSession(ask)
  tab.dispatchEvent(new Event('pagehide'))
  await vi.advanceTimersByTimeAsync(0)
  await vi.waitFor(() => expect(said.at(-1)).toMatchObject({ path: 'beacon', body: { state: 'ended' } }))
  session.end()
  session.close()
  await vi.advanceTimersByTimeAsync(0)
  expect(states()).toEqual(['started', 'ended', 'ended'])
})

test('buttons that were pressed are told of together', async () => {
  const session = pollSession(ask)
  session.track('undo')
  session.track('move')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(said.filter(({ path }) => path === 'analytics')).toEqual([
    {
      path: 'analytics',
      body: [
        { name: 'button.clicked', data: { button: 'undo' } },
        { name: 'button.clicked', data: { button: 'move' } },
      ],
    },
  ])
  session.close()
})
