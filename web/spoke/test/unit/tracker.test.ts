import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSpoke } from '../../src/index.js'
import { createTracker, type TrackerOptions } from '../../src/session/index.js'

interface Sent {
  type: string
  id: string
  data?: unknown
}

/** A spoke whose requests are answered here. */
function world(options: Partial<TrackerOptions<Record<string, unknown>>> = {}) {
  const batches: Sent[][] = []
  let answer = async (): Promise<Response> => Response.json({ events: [] })
  let underWay = 0
  let mostUnderWay = 0
  const spoke = createSpoke({
    url: 'http://hub.test',
    async fetch(_, init) {
      batches.push(JSON.parse(String(init.body)))
      mostUnderWay = Math.max(mostUnderWay, ++underWay)
      return answer().finally(() => underWay--)
    },
  })
  const tracker = createTracker(spoke, { topic: 'analytics/alice', ...options })
  return {
    tracker,
    batches,
    names: () => batches.map((batch) => batch.map(({ type }) => type)),
    mostUnderWay: () => mostUnderWay,
    answer(f: () => Promise<Response>) {
      answer = f
    },
  }
}

const refusal = (code: string, status: number) => async () =>
  Response.json({ code, status, detail: code }, { status, headers: { 'Content-Type': 'application/problem+json' } })

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a batch', () => {
  test('is what has gathered in five seconds', async () => {
    const { tracker, names } = world()
    tracker.track('a', { n: 1 })
    await vi.advanceTimersByTimeAsync(3_000)
    tracker.track('b')
    await vi.advanceTimersByTimeAsync(1_900)
    expect(names()).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(names()).toEqual([['a', 'b']])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(names()).toHaveLength(1)
  })

  test('has at most fifty events, and one goes after the other', async () => {
    const { tracker, names, mostUnderWay } = world()
    for (let i = 0; i < 120; i++) tracker.track(`n${i}`)
    await tracker.flush()
    expect(names().map(({ length }) => length)).toEqual([50, 50, 20])
    expect(names().flat()).toEqual(Array.from({ length: 120 }, (_, i) => `n${i}`))
    expect(mostUnderWay()).toBe(1)
  })

  test('has at most 32 kB, in whatever script', async () => {
    const { tracker, batches } = world()
    for (let i = 0; i < 10; i++) tracker.track('t', { text: '車'.repeat(3_000) })
    await tracker.flush()
    const sizes = batches.map((batch) => new TextEncoder().encode(JSON.stringify(batch)).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(32_768)
    expect(batches.flat()).toHaveLength(10)
  })

  test('is of what was tracked then, whatever becomes of it', async () => {
    const { tracker, batches } = world()
    const data = { n: 1 }
    tracker.track('a', data)
    data.n = 2
    await tracker.flush()
    expect(batches[0]?.[0]?.data).toEqual({ n: 1 })
  })

  test('leaves out what is too large, or no JSON, and counts it', async () => {
    const { tracker, names } = world()
    const round: Record<string, unknown> = {}
    round['round'] = round
    tracker.track('round', round)
    tracker.track('large', { text: 'x'.repeat(40_000) })
    tracker.track('good')
    await tracker.flush()
    expect(names()).toEqual([['good']])
    expect(tracker.dropped).toBe(2)
  })
})

describe('when the hub does not answer', () => {
  test('events wait, and are sent with the same ids', async () => {
    const { tracker, batches, answer } = world()
    answer(() => Promise.reject(new TypeError('no network')))
    tracker.track('a')
    await vi.advanceTimersByTimeAsync(120_000)
    answer(async () => Response.json({ events: [] }))
    await vi.advanceTimersByTimeAsync(60_000)
    const sent = batches.length
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(1)
    await vi.advanceTimersByTimeAsync(120_000)
    expect(batches).toHaveLength(sent)
    expect(tracker.dropped).toBe(0)
  })

  test('no more wait than ten batches, and the oldest go', async () => {
    const { tracker, names, answer } = world({ most: 5 })
    answer(() => Promise.reject(new TypeError('no network')))
    for (let i = 0; i < 80; i++) tracker.track(`n${i}`)
    expect(tracker.dropped).toBe(30)
    answer(async () => Response.json({ events: [] }))
    await tracker.flush()
    expect(names().flat()).toEqual(Array.from({ length: 50 }, (_, i) => `n${i + 30}`))
  })

  test('nor are they kept if it refuses them', async () => {
    const { tracker, answer, names } = world()
    answer(refusal('forbidden', 403))
    tracker.track('a')
    tracker.track('b')
    await tracker.flush()
    expect(tracker.dropped).toBe(2)
    await vi.advanceTimersByTimeAsync(120_000)
    expect(names()).toHaveLength(1)
  })

  test('who is not signed in loses nothing', async () => {
    const { tracker, answer, names } = world()
    answer(refusal('unauthorised', 401))
    tracker.track('a')
    await tracker.flush()
    answer(async () => Response.json({ events: [] }))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(names()).toEqual([['a'], ['a']])
    expect(tracker.dropped).toBe(0)
  })
})

describe('a sample', () => {
  test('is of pages: each has all of a name, or nothing', async () => {
    let tracks = 0
    for (let page = 0; page < 400; page++) {
      vi.spyOn(Math, 'random').mockReturnValue((page + 0.5) / 400)
      const { tracker, names } = world({ sample: 0.25 })
      for (let i = 0; i < 5; i++) tracker.track('card.opened')
      await tracker.flush()
      const count = names().flat().length
      expect([0, 5]).toContain(count)
      if (count > 0) tracks++
    }
    expect(tracks).toBe(100)
  })

  test('is of other pages for another name, and may be another share', async () => {
    const { tracker, names } = world({ sample: { never: 0 } })
    tracker.track('never')
    tracker.track('always')
    await tracker.flush()
    expect(names()).toEqual([['always']])
    expect(tracker.dropped).toBe(0)
    const of = async (name: string, luck: number) => {
      vi.spyOn(Math, 'random').mockReturnValue(luck)
      const one = world({ sample: 0.5 })
      one.tracker.track(name)
      await one.tracker.flush()
      return one.batches.length
    }
    const lucks = Array.from({ length: 20 }, (_, i) => i / 20)
    const pages = async (name: string) => Promise.all(lucks.map((luck) => of(name, luck)))
    expect(await pages('card.opened')).not.toEqual(await pages('button.pressed'))
  })
})

test('a tracker that is closed sends what it has, and takes no more', async () => {
  const { tracker, names } = world()
  tracker.track('a')
  tracker.close()
  tracker.track('b')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(names()).toEqual([['a']])
})
