import { describe, expect, test } from 'vitest'
import { Clock } from '../../src/receipts/clock.js'

/** A browser's clock that is wrong, and ways that take longer now and then. */
interface World {
  /** By how much the browser's clock is ahead at first, and what it gains in a second. */
  readonly skewMs: number
  readonly drift: number
  /** How long a message takes at least, and how much longer on average. */
  readonly downMs: number
  readonly upMs: number
  readonly jitterMs: number
}

const minute = 60_000
const start = Date.UTC(2026, 2, 1)

/** Numbers from 0 to 1 that look random, and are the same each time. */
function luckOf(seed: number): () => number {
  let x = seed
  return () => {
    x = (x * 1_103_515_245 + 12_345) % 2 ** 31
    return x / 2 ** 31
  }
}

/** Lives in a world for a while, and says by how much each estimate was off, and how much it had said. */
function live(world: World, forMs: number, seed: number): { off: number; said: number }[] {
  const luck = luckOf(seed)
  const clock = new Clock()
  const ours = (hub: number) => hub + world.skewMs + world.drift * (hub - start)
  const late = () => -Math.log(1 - luck()) * world.jitterMs
  const found: { off: number; said: number }[] = []
  for (let hub = start; hub < start + forMs; hub += 15_000) {
    clock.beat(Math.floor(hub), ours(hub + world.downMs + late()))
    const there = hub + world.downMs + 5_000
    const up = world.upMs + late()
    const back = there + up + world.downMs + late()
    clock.trip(ours(back) - ours(there), ours(back))
    const estimate = clock.estimate(ours(back))
    if (estimate) found.push({ off: Math.abs(estimate.offset - (back - ours(back))), said: estimate.uncertainty })
  }
  return found
}

describe('the hub’s clock is known to within what is said', () => {
  const ways = {
    'on the same machine': { downMs: 0.1, upMs: 0.1, jitterMs: 0.1 },
    'over a continent': { downMs: 20, upMs: 20, jitterMs: 5 },
    'on a phone': { downMs: 60, upMs: 60, jitterMs: 200 },
    'over a line that is slow upwards': { downMs: 10, upMs: 50, jitterMs: 5 },
  }
  const clocks = {
    right: { skewMs: 0, drift: 0 },
    'two hours ahead': { skewMs: 120 * minute, drift: 0 },
    'a day behind': { skewMs: -1_440 * minute, drift: 0 },
    'gaining a second a day': { skewMs: minute, drift: 1 / 86_400 },
    'losing 50 ppm': { skewMs: -1_000, drift: -50e-6 },
  }
  for (const [way, messages] of Object.entries(ways)) {
    for (const [name, clock] of Object.entries(clocks)) {
      test(`${way}, with a clock that is ${name}`, () => {
        for (const seed of [1, 2, 3]) {
          const estimates = live({ ...messages, ...clock }, 60 * minute, seed)
          expect(estimates.length).toBeGreaterThan(200)
          // After some heartbeats one of them was quick.
          for (const { off, said } of estimates.slice(8)) {
            expect(off).toBeLessThanOrEqual(said)
            expect(said).toBeLessThanOrEqual((messages.downMs + messages.upMs) / 2 + messages.jitterMs + 10)
          }
        }
      })
    }
  }
})

test('one late heartbeat takes nothing from what is known', () => {
  const clock = new Clock()
  clock.trip(10, start)
  clock.beat(start, start + 5)
  const before = clock.estimate(start + 100)
  clock.beat(start + 15_000, start + 15_000 + 3_000)
  expect(clock.estimate(start + 100)).toEqual(before)
  expect(before?.offset).toBe(0)
})

test('nothing is known before a heartbeat and an answer, or once a clock was set', () => {
  const clock = new Clock()
  expect(clock.estimate(start)).toBeUndefined()
  clock.beat(start, start)
  expect(clock.estimate(start)).toBeUndefined()
  clock.trip(8, start)
  expect(clock.estimate(start)).toEqual({ offset: 4, uncertainty: 5 })
  clock.forget()
  expect(clock.estimate(start)).toBeUndefined()
})
