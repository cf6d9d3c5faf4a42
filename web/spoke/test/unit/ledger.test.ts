import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Ledger } from '../../src/devtools/ledger.js'
import type { Frame, Notice } from '../../src/frames.js'
import { createSpoke } from '../../src/index.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('the latency is of what came once the stream had begun, and not of what it has replayed', () => {
  const spoke = createSpoke({ url: 'http://nowhere' })
  const unlisten = vi.fn()
  const listen = vi.spyOn(spoke, 'listen').mockReturnValue(unlisten)
  const ledger = new Ledger(spoke)
  const hear = (said: Frame | Notice) => listen.mock.calls[0]?.[0](said, 0)
  const event = (ageMs: number) =>
    hear({
      kind: 'batch',
      events: [{ type: 't', topic: 'a', offset: 1, time: new Date(Date.now() - ageMs).toISOString() }],
      cursor: 'e-1',
    })
  hear({ kind: 'verdict', sync: { status: 'recovered' }, cursor: 'e-0' })
  hear({ kind: 'heartbeat', time: new Date(Date.now()).toISOString(), cursor: 'e-1', heartbeatMs: 15_000 })
  vi.advanceTimersByTime(1_000)
  event(60_000)
  expect(ledger.events).toBe(1)
  expect(ledger.latency(0.5)).toBeUndefined()
  event(20)
  expect(ledger.latency(0.5)).toBe(20)
  ledger.close()
  expect(unlisten).toHaveBeenCalled()
})
