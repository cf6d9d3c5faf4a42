import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Effect, type Happening, initial, type State } from '../../src/machine/state.js'
import { transition } from '../../src/machine/transition.js'
import type { Problem } from '../../src/problem.js'
import { streamsAt } from '../../src/wire.js'
import { World } from './world.js'

const problem = (code: string, status: number, level?: 'polling' | 'off'): Problem => ({
  status,
  code,
  detail: code,
  ...(level && { level }),
})

/** Drives the machine by hand. */
function drive(rungs = 1, anonymous = false) {
  let state: State = initial(rungs, anonymous)
  return {
    get state() {
      return state
    },
    on(happening: Happening, luck = 0.5): Effect[] {
      const [next, effects] = transition(state, { ...happening, now: 0, luck })
      state = next
      return [...effects]
    },
  }
}

function armed(effects: Effect[], timer: string): number | undefined {
  return effects.findLast((e): e is Effect & { do: 'arm' } => e.do === 'arm' && e.timer === timer)?.ms
}

describe('the ladder', () => {
  test('how long a level lasts is not known of the next one', () => {
    const m = live()
    m.on({ type: 'level', level: 'polling', poll: true, forMs: 30_000, retryMs: 0 })
    m.on({ type: 'timer', timer: 'poll' })
    m.on({ type: 'page', level: 'polling', count: 0, tookMs: 5 })
    expect(m.state.memory).toMatchObject({ level: 'polling', levelUntil: 30_000 })
    m.on({ type: 'page', level: 'shed', count: 0, tookMs: 5 })
    expect(m.state.memory).toMatchObject({ level: 'shed', levelUntil: 0 })
  })

  test('a stream that proves itself is live, and is watched', () => {
    const m = drive()
    expect(m.on({ type: 'want', wanted: true })).toContainEqual({ do: 'open', rung: 0 })
    expect(armed(m.on({ type: 'sent' }), 'proof')).toBe(5_000)
    expect(armed(m.on({ type: 'proved' }), 'watchdog')).toBe(39_500)
    expect(m.state.name).toBe('live')
    expect(armed(m.on({ type: 'heartbeat', heartbeatMs: 4_000 }), 'watchdog')).toBe(12_000)
  })

  test('a live stream is known by what hub.sync and hub.level say of it', () => {
    const m = drive()
    m.on({ type: 'want', wanted: true })
    m.on({ type: 'sent' })
    m.on({ type: 'proved', connection: '17', level: 'shed', receipts: 100 })
    expect(m.state).toMatchObject({ connection: '17', memory: { level: 'shed', receipts: 100, levelUntil: 0 } })
    m.on({ type: 'level', level: 'conserve', forMs: 30_000 })
    expect(m.state.memory).toMatchObject({ level: 'conserve', receipts: 0, levelUntil: 30_000 })
    m.on({ type: 'ended', failure: { kind: 'ended' } })
    m.on({ type: 'timer', timer: 'retry' })
    m.on({ type: 'proved', connection: '18' })
    expect(m.state).toMatchObject({ connection: '18', memory: { level: 'normal', levelUntil: 0 } })
  })

  test('a mute stream is followed by a page, and by polling only once that has come', () => {
    const m = drive()
    m.on({ type: 'want', wanted: true })
    m.on({ type: 'sent' })
    expect(m.on({ type: 'timer', timer: 'proof' })).toContainEqual({ do: 'ask', wait: false })
    expect(m.state.name).toBe('connecting')
    const effects = m.on({ type: 'page', level: 'normal', count: 0, tookMs: 5 })
    expect(m.state.name).toBe('polling')
    expect(effects).toContainEqual({ do: 'ask', wait: true })
    expect(armed(effects, 'probe')).toBe(15_000)
  })

  test('a mute stream gives way to the next transport at once', () => {
    const m = drive(2)
    m.on({ type: 'want', wanted: true })
    m.on({ type: 'sent' })
    expect(m.on({ type: 'timer', timer: 'proof' })).toContainEqual({ do: 'open', rung: 1 })
  })

  test('while polling a stream is tried again, ever more rarely, and never given up', () => {
    const m = polled()
    const pauses = Array.from({ length: 8 }, () => {
      m.on({ type: 'timer', timer: 'probe' })
      m.on({ type: 'sent' })
      return armed(m.on({ type: 'timer', timer: 'proof' }), 'probe')
    })
    expect(pauses).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000, 300_000])
    m.on({ type: 'timer', timer: 'probe' })
    m.on({ type: 'proved' })
    expect(m.state.name).toBe('live')
  })

  test('5. a thousand that are told to come back after 7 seconds are spread, and none comes sooner', () => {
    const failure = { kind: 'refused' as const, problem: problem('overloaded', 503), retryAfterMs: 7_000 }
    const tenths = new Array<number>(10).fill(0)
    for (let i = 0; i < 1_000; i++) {
      const m = drive()
      m.on({ type: 'want', wanted: true })
      const ms = armed(m.on({ type: 'ended', failure }, Math.random()), 'retry') ?? 0
      expect(ms).toBeGreaterThanOrEqual(7_000)
      expect(ms).toBeLessThanOrEqual(8_000)
      const tenth = Math.min(Math.floor((ms - 7_000) / 100), 9)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    expect(Math.min(...tenths)).toBeGreaterThan(50) // a hundred each, but for luck
    expect(Math.max(...tenths)).toBeLessThan(150)
  })

  test('pages that answer at once and empty do not make a loop', () => {
    const m = polled()
    const effects = m.on({ type: 'page', level: 'normal', count: 0, tookMs: 3 })
    expect(effects.some((e) => e.do === 'ask')).toBe(false)
    expect(armed(effects, 'poll')).toBe(5_000)
  })
})

test('pages of a busy topic follow each other four times a second at most', () => {
  const m = polled()
  expect(armed(m.on({ type: 'page', level: 'normal', count: 9, tookMs: 50 }), 'poll')).toBe(200)
  m.on({ type: 'timer', timer: 'poll' })
  expect(m.on({ type: 'page', level: 'normal', count: 9, tookMs: 300 })).toContainEqual({ do: 'ask', wait: true })
})

function polled() {
  const m = drive()
  m.on({ type: 'want', wanted: true })
  m.on({ type: 'sent' })
  m.on({ type: 'timer', timer: 'proof' })
  m.on({ type: 'page', level: 'normal', count: 0, tookMs: 5 })
  return m
}

function live() {
  const m = drive()
  m.on({ type: 'want', wanted: true })
  m.on({ type: 'sent' })
  m.on({ type: 'proved' })
  return m
}

describe('what the hub says', () => {
  test('retry is the pause, doubled each time, half of it luck, up to 30 s', () => {
    const m = live()
    m.on({ type: 'retry', ms: 4_000 })
    const pauses = Array.from({ length: 5 }, () => {
      const effects = m.on({ type: 'ended', failure: { kind: 'ended' } }, 1)
      m.on({ type: 'timer', timer: 'retry' })
      return armed(effects, 'retry')
    })
    expect(pauses).toEqual([4_000, 8_000, 16_000, 30_000, 30_000])
  })

  test('a stream that has lasted ends the doubling', () => {
    const m = live()
    for (let i = 0; i < 3; i++) {
      m.on({ type: 'ended', failure: { kind: 'ended' } })
      m.on({ type: 'timer', timer: 'retry' })
      m.on({ type: 'proved' })
    }
    m.on({ type: 'timer', timer: 'steady' })
    expect(armed(m.on({ type: 'ended', failure: { kind: 'ended' } }, 1), 'retry')).toBe(2_000)
  })

  test('Retry-After is the least', () => {
    const m = live()
    const failure = { kind: 'refused', problem: problem('overloaded', 503), retryAfterMs: 7_000 } as const
    expect(armed(m.on({ type: 'ended', failure }, 0), 'retry')).toBe(7_000)
  })

  test('hub.bye says when to come back', () => {
    const m = live()
    expect(armed(m.on({ type: 'bye', retryMs: 3_210 }), 'retry')).toBe(3_210)
  })

  test('hub.level ends the stream, and pages begin when it says', () => {
    const m = live()
    const effects = m.on({ type: 'level', level: 'polling', poll: true, retryMs: 2_500 })
    expect(effects).toContainEqual({ do: 'hangUp' })
    expect(armed(effects, 'poll')).toBe(2_500)
    m.on({ type: 'timer', timer: 'poll' })
    expect(armed(m.on({ type: 'page', level: 'polling', count: 0, tookMs: 5 }), 'probe')).toBeUndefined()
    expect(m.state.name).toBe('polling')
    expect(armed(m.on({ type: 'page', level: 'normal', count: 0, tookMs: 9_000 }), 'probe')).toBeLessThanOrEqual(2_000)
  })

  test('a level without pages disables, and is asked about', () => {
    const m = polled()
    const failure = { kind: 'refused', problem: problem('degraded', 503, 'off'), retryAfterMs: 30_000 } as const
    expect(armed(m.on({ type: 'noPage', failure }, 0), 'poll')).toBe(30_000)
    expect(m.state).toMatchObject({ name: 'disabled', by: 'hub' })
    m.on({ type: 'timer', timer: 'poll' })
    m.on({ type: 'page', level: 'normal', count: 0, tookMs: 5 })
    expect(m.state.name).toBe('polling')
  })

  test('a refused token is the end until somebody says otherwise', () => {
    const m = live()
    m.on({
      type: 'ended',
      failure: { kind: 'refused', problem: problem('unauthorised', 401), retryAfterMs: undefined },
    })
    expect(m.state.name).toBe('unauthorised')
    m.on({ type: 'online' })
    expect(m.state.name).toBe('unauthorised')
    expect(m.on({ type: 'kick' })).toContainEqual({ do: 'open', rung: 0 })
  })

  test('a refusal that stays is looked into, once', () => {
    const m = live()
    const failure = { kind: 'refused', problem: problem('forbidden', 403), retryAfterMs: undefined } as const
    expect(m.on({ type: 'ended', failure })).toContainEqual({ do: 'examine' })
    m.on({ type: 'examined', failure: undefined })
    expect(m.state.name).toBe('connecting')
    m.on({ type: 'ended', failure })
    m.on({ type: 'examined', failure })
    expect(m.state).toMatchObject({ name: 'closed', problem: failure.problem })
  })

  test('a refusal that cannot be looked into now is looked into later, or at once if that is wanted', () => {
    const m = live()
    const failure = { kind: 'refused', problem: problem('forbidden', 403), retryAfterMs: undefined } as const
    m.on({ type: 'ended', failure })
    expect(armed(m.on({ type: 'examined', failure: { kind: 'network', message: 'cut' } }), 'retry')).toBeGreaterThan(0)
    m.on({ type: 'timer', timer: 'retry' })
    m.on({ type: 'ended', failure })
    expect(m.on({ type: 'kick' })).toContainEqual({ do: 'open', rung: 0 })
  })

  test('who sends no token may be granted some of it, and other things than before', () => {
    const m = drive(1, true)
    const failure = { kind: 'refused', problem: problem('unauthorised', 401), retryAfterMs: undefined } as const
    m.on({ type: 'want', wanted: true })
    expect(m.on({ type: 'ended', failure })).toContainEqual({ do: 'examine' })
    m.on({ type: 'examined', failure })
    expect(m.state.name).toBe('unauthorised')
    expect(m.on({ type: 'grown' })).toContainEqual({ do: 'open', rung: 0 })
    m.on({ type: 'ended', failure })
    m.on({ type: 'examined', failure })
    m.on({ type: 'want', wanted: false })
    expect(m.on({ type: 'want', wanted: true })).toContainEqual({ do: 'open', rung: 0 })
  })
})

describe('what the page is told', () => {
  test('offline stops everything, is doubted after a minute, and online is believed at once', () => {
    const m = live()
    const effects = m.on({ type: 'offline' }, 0)
    expect(effects[0]).toEqual({ do: 'stop' })
    expect(armed(effects, 'retry')).toBe(60_000)
    m.on({ type: 'timer', timer: 'retry' })
    expect(m.state.name).toBe('connecting')
    m.on({ type: 'ended', failure: { kind: 'network', message: '' } })
    expect(m.state).toMatchObject({ name: 'offline', why: 'network' })
    expect(m.on({ type: 'online' })).toContainEqual({ do: 'open', rung: 0 })
  })

  test('a page that is left or frozen hangs up, and connects when it is back', () => {
    const m = live()
    expect(m.on({ type: 'suspend' })).toEqual([{ do: 'stop' }])
    expect(m.on({ type: 'online' })).toEqual([])
    expect(m.on({ type: 'resume' })).toContainEqual({ do: 'open', rung: 0 })
  })

  test('who looks again does not wait', () => {
    const m = live()
    m.on({ type: 'ended', failure: { kind: 'ended' } })
    expect(m.on({ type: 'visible' })).toContainEqual({ do: 'open', rung: 0 })
  })
})

describe('whatever happens', () => {
  test('the machine keeps its word', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.array(fc.nat(), { maxLength: 200 }), (rungs, choices) => {
        const world = new World(rungs, choices.length % 2 === 0)
        for (const choice of choices) {
          world.step(choice)
          world.check()
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('no stream is asked for while the hub says that there are none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 200 }), (choices) => {
        const world = new World(1)
        for (const choice of choices) {
          const { opened } = world.step(choice)
          if (opened) expect(streamsAt(world.state.memory.level)).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('from everywhere it comes to be live once all is well', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 }), fc.array(fc.nat(), { maxLength: 150 }), (rungs, choices) => {
        const world = new World(rungs, choices.length % 2 === 0)
        for (const choice of choices) world.step(choice)
        if (world.state.name === 'closed') return
        world.heal()
        expect(world.state.name).toBe('live')
      }),
      { numRuns: 2_000 },
    )
  })

  test('what is closed stays closed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 100 }), (choices) => {
        const world = new World(1)
        world.happen({ type: 'close' })
        for (const choice of choices) {
          expect(world.step(choice).effects).toEqual([])
          expect(world.state.name).toBe('closed')
        }
      }),
    )
  })
})
