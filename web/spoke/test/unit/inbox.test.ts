import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Http } from '../../src/http.js'
import { Inbox } from '../../src/inbox.js'
import { InvalidEventError, type Schema } from '../../src/schema.js'
import { Subscription } from '../../src/subscription.js'
import { Tokens } from '../../src/tokens.js'
import type { WireEvent } from '../../src/wire.js'

function inbox(schemas: Record<string, Schema<unknown>> = {}) {
  const failures: unknown[] = []
  // Nothing is fetched here: snapshots are tried with a hub.
  const http = new Http('http://nowhere', new Tokens(undefined), () => new Promise(() => {}), undefined)
  return { failures, box: new Inbox({ http, schemas, cursor: undefined, fail: (error) => failures.push(error) }) }
}

const batch = (topic: string, from: number, n: number): WireEvent[] =>
  Array.from({ length: n }, (_, i) => ({ type: 't', topic, offset: from + i, ...(n > 1 && { batch: { i, n } }) }))

const frame = (events: WireEvent[]) => ({ kind: 'batch', events, cursor: `k-${events.at(-1)?.offset}` }) as const
const live = { kind: 'verdict', sync: { status: 'live' }, cursor: 'k-0' } as const

describe('an inbox', () => {
  test('hands over batches whole, to each who matches, what matches', () => {
    const { box } = inbox()
    const all = vi.fn()
    const some = vi.fn()
    box.add(['**'], { events: all }, {})
    box.add(['cards/*'], { events: some }, {})
    box.take(live)
    box.take(frame([...batch('cards/1', 1, 2), ...batch('users/7', 3, 1)]))
    expect(all.mock.calls.map(([events]) => events.length)).toEqual([3])
    expect(some.mock.calls.map(([events]) => events.length)).toEqual([2])
    expect(box.cursor).toBe('k-3')
  })

  test('goes on when a subscriber throws, and says so', () => {
    const { box, failures } = inbox()
    const second = vi.fn()
    box.add(
      ['**'],
      {
        events() {
          throw new Error('mine')
        },
      },
      {},
    )
    box.add(['**'], { events: second }, {})
    box.take(live)
    box.take(frame(batch('a', 1, 1)))
    expect(second).toHaveBeenCalledOnce()
    expect(failures).toEqual([new Error('mine')])
    expect(box.cursor).toBe('k-1')
  })

  test('reports an event that its schema refuses, and leaves it out', () => {
    const schema: Schema<unknown> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          typeof value === 'number' ? { value: value + 1 } : { issues: [{ message: 'no number' }] },
      },
    }
    const { box, failures } = inbox({ t: schema })
    const events = vi.fn()
    box.add(['a'], { events }, {})
    box.take(live)
    box.take(
      frame([
        { type: 't', topic: 'a', offset: 1, data: 1 },
        { type: 't', topic: 'a', offset: 2, data: 'x' },
        { type: 't', topic: 'a', offset: 3, key: 'k' },
      ]),
    )
    expect(events.mock.calls[0]?.[0]).toMatchObject([{ data: 2 }, { key: 'k' }])
    expect(failures).toHaveLength(1)
    expect(failures[0]).toBeInstanceOf(InvalidEventError)
  })

  test('tells a reset to all, and goes on from there, also below', () => {
    const { box } = inbox()
    const reset = vi.fn()
    const events = vi.fn()
    box.add(['a'], { events, reset }, {})
    box.take(live)
    box.take(frame(batch('a', 9, 1)))
    box.take({ kind: 'verdict', sync: { status: 'reset', reason: 'foreign-epoch' }, cursor: 'n-2' })
    box.take({ ...frame(batch('a', 3, 1)), cursor: 'n-3' })
    expect(reset).toHaveBeenCalledExactlyOnceWith('foreign-epoch')
    expect(events).toHaveBeenCalledTimes(2)
    expect(box.cursor).toBe('n-3')
  })

  test('resets who comes with a cursor of another log', async () => {
    const { box } = inbox()
    const reset = vi.fn()
    box.add(['a'], { events() {} }, {})
    box.take(live)
    box.add(['a'], { events() {}, reset }, { cursor: 'old-7' })
    await Promise.resolve()
    expect(reset).toHaveBeenCalledExactlyOnceWith('foreign-epoch')
  })

  // Stream and pages overlap, tabs hand over, connections go back to older cursors:
  // whatever is repeated from wherever, each event comes once and in order.
  test('hears everything once and in order, whatever is repeated', () => {
    const log = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 })
    const jumps = fc.array(fc.nat(), { maxLength: 20 })
    fc.assert(
      fc.property(log, jumps, (sizes, backs) => {
        let offset = 1
        const batches = sizes.map((n) => {
          const made = batch('a', offset, n)
          offset += n
          return made
        })
        const { box } = inbox()
        const heard: number[] = []
        const parts: number[] = []
        box.add(
          ['a'],
          {
            events: (events) => {
              heard.push(...events.map((event) => Number(event.offset)))
              parts.push(events.length)
            },
          },
          {},
        )
        box.take(live)
        let next = 0
        for (const back of [...backs, 0]) {
          const until = back === 0 ? batches.length : Math.min(next + (back % 5), batches.length)
          for (; next < until; next++) box.take(frame(batches[next] ?? []))
          next -= back % (next + 1)
        }
        for (; next < batches.length; next++) box.take(frame(batches[next] ?? []))
        expect(heard).toEqual(Array.from({ length: offset - 1 }, (_, i) => i + 1))
        expect(parts).toEqual(sizes)
      }),
    )
  })
})

describe('a snapshot', () => {
  const joined = (position: number) => {
    const heard: string[] = []
    const subscription = new Subscription(['a'], true, position, (events) =>
      heard.push(events.map((event) => `${event.offset}`).join('+')),
    )
    return { heard, subscription, show: () => heard.push('snapshot') }
  }

  test('comes before what has happened since, and instead of what it holds', () => {
    const { heard, subscription, show } = joined(3)
    subscription.take(batch('a', 4, 2))
    subscription.take(batch('a', 6, 2))
    expect(subscription.complete(5, show)).toBe(true)
    subscription.take(batch('a', 8, 1))
    expect(heard).toEqual(['snapshot', '6+7', '8'])
  })

  test('that is older than what it is joined to is of no use', () => {
    const { heard, subscription, show } = joined(3)
    subscription.take(batch('a', 4, 1))
    expect(subscription.complete(2, show)).toBe(false)
    expect(subscription.complete(3, show)).toBe(true)
    expect(heard).toEqual(['snapshot', '4'])
  })

  test('does not let more wait than it may', () => {
    const { heard, subscription, show } = joined(0)
    for (let offset = 1; offset <= 6_000; offset++) subscription.take(batch('a', offset, 1))
    expect(subscription.complete(4_000, show)).toBe(false)
    expect(subscription.complete(5_998, show)).toBe(true)
    expect(heard).toEqual(['snapshot', '5999', '6000'])
  })
})
