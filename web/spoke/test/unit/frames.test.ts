import { describe, expect, test } from 'vitest'
import { Assembler, batchesOf } from '../../src/frames.js'
import { earlier } from '../../src/wire.js'

const event = (offset: number | undefined, batch?: { i: number; n: number }) => ({
  event: 'card.moved',
  data: JSON.stringify({ topic: 'cards/1', offset, batch }),
})

describe('an assembler', () => {
  test('holds a batch until its last event, the one with the id', () => {
    const a = new Assembler()
    expect(a.take(event(7, { i: 0, n: 3 }))).toEqual([])
    expect(a.take(event(8, { i: 1, n: 3 }))).toEqual([])
    const [frame] = a.take({ ...event(9, { i: 2, n: 3 }), id: 'k-9' })
    expect(frame).toMatchObject({ kind: 'batch', cursor: 'k-9', events: [{ offset: 7 }, { offset: 8 }, { offset: 9 }] })
  })

  test('takes the id of an EventSource, which may be an older one, for none', () => {
    const a = new Assembler()
    expect(a.take({ ...event(7, { i: 0, n: 2 }), id: 'k-6' })).toEqual([])
    expect(a.take({ ...event(8, { i: 1, n: 2 }), id: 'k-8' })).toHaveLength(1)
  })

  test('gives out a batch whose end was not heard, without a cursor', () => {
    const a = new Assembler()
    a.take(event(7, { i: 0, n: 2 }))
    const [first, second] = a.take({ ...event(9), id: 'k-9' })
    expect(first).toMatchObject({ kind: 'batch', cursor: undefined, events: [{ offset: 7 }] })
    expect(second).toMatchObject({ kind: 'batch', cursor: 'k-9', events: [{ offset: 9 }] })
  })

  test('gives out transient events at once', () => {
    const [frame] = new Assembler().take({ event: 'typing', data: '{"topic":"ui"}' })
    expect(frame).toEqual({ kind: 'batch', events: [{ type: 'typing', topic: 'ui' }], cursor: undefined })
  })

  test("reads the hub's own events", () => {
    const a = new Assembler()
    expect(
      a.take({ event: 'hub.sync', id: 'k-4', data: '{"status":"live","cursor":"k-4","connection":"17"}' }),
    ).toEqual([{ kind: 'verdict', sync: { status: 'live', cursor: 'k-4', connection: '17' }, cursor: 'k-4' }])
    expect(
      a.take({
        event: 'hub.heartbeat',
        id: 'k-5',
        data: '{"time":"2026-03-01T12:00:00Z","cursor":"k-5","heartbeatMs":4000}',
      }),
    ).toEqual([
      { kind: 'mark', cursor: 'k-5' },
      { kind: 'heartbeat', time: '2026-03-01T12:00:00Z', cursor: 'k-5', heartbeatMs: 4000 },
    ])
    expect(a.take({ event: 'hub.level', data: '{"level":"polling","poll":true,"retryMs":2100}' })).toEqual([
      { kind: 'level', level: 'polling', poll: true, retryMs: 2100 },
    ])
    expect(a.take({ event: 'hub.bye', data: '{"reason":"shutdown","retryMs":3000}' })).toEqual([
      { kind: 'bye', reason: 'shutdown', retryMs: 3000 },
    ])
    expect(a.take({ event: 'hub.tomorrow', data: '{}' })).toEqual([])
  })

  test('says what cannot be read', () => {
    expect(() => new Assembler().take({ event: 'card.moved', data: '{' })).toThrow(SyntaxError)
    expect(() => new Assembler().take({ event: 'card.moved', data: '7' })).toThrow('has no object')
  })
})

test('a page is taken apart into its batches', () => {
  const at = (offset: number, i = 0, n = 1) => ({ type: 't', topic: 'a', offset, batch: { i, n } })
  const page = [at(3), at(5, 1, 3), at(6, 2, 3), at(7, 0, 2), at(8, 1, 2)]
  expect(batchesOf(page).map((batch) => batch.map(({ offset }) => offset))).toEqual([[3], [5, 6], [7, 8]])
})

test('of two cursors the earlier is the one that has seen less', () => {
  expect(earlier('k-9', 'k-12')).toBe('k-9')
  expect(earlier('k-12', 'k-9')).toBe('k-9')
  expect(earlier(undefined, 'k-9')).toBe('k-9')
  expect(earlier('k-9', undefined)).toBe('k-9')
  expect(earlier('old-3', 'new-1')).toBe('old-3')
})
