import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Ages } from '../../src/ages.js'
import { Clock } from '../../src/clock.js'

test('quantiles are ages that there were', () => {
  const ages = new Ages()
  expect(ages.quantile(0.5)).toBeUndefined()
  for (let i = 100; i >= 1; i--) ages.add(i)
  expect(ages.quantile(0.5)).toBe(50)
  expect(ages.quantile(0.99)).toBe(99)
  expect(ages.quantile(1)).toBe(100)
})

test('the latest count, and what is younger than nothing is new', () => {
  const ages = new Ages()
  for (let i = 0; i < 500; i++) ages.add(10_000)
  for (let i = 0; i < 500; i++) ages.add(-5)
  expect(ages.count).toBe(1_000)
  expect(ages.quantile(1)).toBe(0)
})

beforeEach(() => vi.useFakeTimers({ now: Date.parse('2026-03-01T12:00:00.321Z') }))
afterEach(() => vi.useRealTimers())

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** A server whose clock is ahead, and the way there and back. */
async function ask(clock: Clock, ahead: number, there: number, back: number): Promise<void> {
  const sent = Date.now()
  await sleep(there)
  const date = Math.floor((Date.now() + ahead) / 1_000) * 1_000
  await sleep(back)
  clock.learn(date, sent, Date.now())
}

async function settled(clock: Clock, ahead: number, there: number, back: number): Promise<void> {
  const settling = clock.settle(() => ask(clock, ahead, there, back))
  let done = false
  void settling.then(() => {
    done = true
  })
  for (let i = 0; i < 60 && !done; i++) await vi.advanceTimersByTimeAsync(250)
  expect(done).toBe(true)
}

test('the server’s time is found from whole seconds, as well as it says itself', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -7_200_000, max: 7_200_000 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      async (ahead, there, back) => {
        const clock = new Clock()
        await settled(clock, ahead, there, back)
        expect(clock.doubt).toBeLessThanOrEqual(20 + there + back)
        expect(Math.abs(clock.ahead - ahead)).toBeLessThanOrEqual(clock.doubt)
      },
    ),
    { numRuns: 40 },
  )
})

test('a clock that is set is learned anew', async () => {
  const clock = new Clock()
  await settled(clock, 0, 5, 5)
  const asked = ask(clock, 3_600_000, 5, 5)
  await vi.advanceTimersByTimeAsync(10)
  await asked
  expect(Math.abs(clock.ahead - 3_600_000)).toBeLessThanOrEqual(1_000)
})
