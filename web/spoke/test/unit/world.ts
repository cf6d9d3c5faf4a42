import { expect } from 'vitest'
import { type Effect, type Happening, initial, type State, type Timer } from '../../src/machine/state.js'
import { transition } from '../../src/machine/transition.js'
import type { Failure } from '../../src/problem.js'
import { type Level, streamsAt } from '../../src/wire.js'

const levels: readonly Level[] = ['normal', 'shed', 'conserve', 'polling', 'off']

const failures: readonly Failure[] = [
  { kind: 'network', message: 'cut' },
  { kind: 'ended' },
  { kind: 'foreign', status: 502, message: 'bad gateway' },
  refused('unauthorised', 401),
  refused('forbidden', 403),
  refused('overloaded', 503, 7_000),
  refused('draining', 503, 1_000),
  { kind: 'refused', problem: { status: 503, code: 'degraded', detail: '', level: 'polling' }, retryAfterMs: 30_000 },
  { kind: 'refused', problem: { status: 503, code: 'degraded', detail: '', level: 'off' }, retryAfterMs: 30_000 },
]

function refused(code: string, status: number, retryAfterMs?: number): Failure {
  return { kind: 'refused', problem: { status, code, detail: code }, retryAfterMs }
}

/** World is what a machine deals with: it carries out effects, and lets happen what can. */
export class World {
  state: State
  readonly timers = new Map<Timer, number>()
  stream = false
  page = false
  examining = false
  #now = 0

  constructor(rungs: number, anonymous = false) {
    this.state = initial(rungs, anonymous)
  }

  /** Lets one of the things happen that can. */
  step(choice: number): { effects: readonly Effect[]; opened: boolean } {
    const can = this.#possible(choice >>> 8)
    return this.happen(can[choice % can.length] ?? { type: 'visible' }, ((choice >>> 4) % 11) / 10)
  }

  happen(happening: Happening, luck = 0.5): { effects: readonly Effect[]; opened: boolean } {
    this.#now += 100
    if (happening.type === 'ended') this.stream = false
    if (happening.type === 'page' || happening.type === 'noPage') this.page = false
    if (happening.type === 'examined') this.examining = false
    if (happening.type === 'timer') this.timers.delete(happening.timer)
    const [state, effects] = transition(this.state, { ...happening, now: this.#now, luck })
    this.state = state
    for (const effect of effects) this.#carryOut(effect)
    return { effects, opened: effects.some((effect) => effect.do === 'open') }
  }

  /** What holds after every step. */
  check(): void {
    const { state } = this
    expect(this.stream, `${state.name}: stream`).toBe(
      state.name === 'live' || ((state.name === 'connecting' || state.name === 'polling') && state.streaming),
    )
    expect(this.page, `${state.name}: page`).toBe('asking' in state && state.asking)
    expect(this.examining, `${state.name}: examining`).toBe(state.name === 'connecting' && state.examining)
    const pending = this.page || this.examining || this.stream || this.timers.size > 0
    if (this.#mustGoOn()) expect(pending, `${state.name} waits for nothing`).toBe(true)
    if (!this.#mustGoOn() && state.name !== 'connecting') expect([...this.timers.keys()], state.name).toEqual([])
    if (state.name === 'live') expect(this.timers.has('watchdog')).toBe(true)
    const streams = state.memory.rungs > 0 && streamsAt(state.memory.level)
    if (state.name === 'polling' && streams) expect(this.stream || this.timers.has('probe'), 'no way back').toBe(true)
    for (const [timer, ms] of this.timers) {
      expect(Number.isFinite(ms) && ms >= 0, `${timer} ${ms}`).toBe(true)
      expect(ms, timer).toBeLessThanOrEqual(360_000)
    }
  }

  /** All is well from now on: whatever is asked for is answered. */
  heal(): void {
    this.happen({ type: 'online' })
    this.happen({ type: 'enable' })
    this.happen({ type: 'want', wanted: true })
    if (this.state.name === 'offline') this.happen({ type: 'resume' })
    if (this.state.name === 'unauthorised') this.happen({ type: 'kick' })
    for (let i = 0; i < 30 && this.#name() !== 'live'; i++) {
      if (this.examining) this.happen({ type: 'examined', failure: undefined })
      else if (this.stream) this.happen({ type: 'proved' })
      else if (this.page) this.happen({ type: 'page', level: 'normal', count: 0, tookMs: 2_000 })
      // Pages are waited for again and again; meanwhile the other timers come to their end.
      if (!this.stream && this.#name() !== 'live') this.happen({ type: 'timer', timer: this.#next() })
    }
  }

  #name(): State['name'] {
    return this.state.name
  }

  #next(): Timer {
    const [first] = [...this.timers].sort(([, a], [, b]) => a - b)
    return first?.[0] ?? 'retry'
  }

  #mustGoOn(): boolean {
    switch (this.state.name) {
      case 'idle':
      case 'closed':
      case 'unauthorised':
        return false
      case 'disabled':
        return this.state.by === 'hub'
      case 'offline':
        return this.state.why === 'network'
      default:
        return true
    }
  }

  #possible(more: number): Happening[] {
    const level = levels[more % levels.length] ?? 'normal'
    const failure = failures[more % failures.length] ?? { kind: 'ended' }
    const can: Happening[] = [
      { type: 'want', wanted: more % 4 !== 0 },
      { type: 'want', wanted: true },
      { type: 'grown' },
      { type: 'online' },
      { type: 'offline' },
      { type: 'visible' },
      { type: 'hidden' },
      { type: 'suspend' },
      { type: 'resume' },
      { type: 'kick' },
      { type: 'enable' },
    ]
    if (more % 5 === 0) can.push({ type: 'disable' })
    if (more % 50 === 0) can.push({ type: 'close' })
    for (const timer of this.timers.keys()) can.push({ type: 'timer', timer }, { type: 'timer', timer })
    if (this.stream) {
      can.push(
        { type: 'sent' },
        { type: 'proved', heartbeatMs: more % 3 === 0 ? 4_000 : undefined },
        { type: 'ended', failure },
        { type: 'ended', failure },
        { type: 'retry', ms: (more % 10_000) + 100 },
        { type: 'level', level, poll: level === 'polling' || level === 'off', retryMs: more % 7_000 },
      )
      if (this.state.name === 'live')
        can.push({ type: 'bye', retryMs: more % 7_000 }, { type: 'heartbeat', heartbeatMs: 4_000 })
    }
    if (this.page)
      can.push(
        { type: 'page', level: level === 'off' ? 'polling' : level, count: more % 3, tookMs: more % 3_000 },
        { type: 'noPage', failure },
      )
    if (this.examining) can.push({ type: 'examined', failure: undefined }, { type: 'examined', failure })
    return can
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'open':
        expect(this.stream, 'a second stream').toBe(false)
        this.stream = true
        break
      case 'hangUp':
        this.stream = false
        break
      case 'ask':
        expect(this.page, 'a second page').toBe(false)
        this.page = true
        break
      case 'unask':
        this.page = false
        break
      case 'examine':
        this.examining = true
        break
      case 'arm':
        this.timers.set(effect.timer, effect.ms)
        break
      case 'disarm':
        this.timers.delete(effect.timer)
        break
      case 'stop':
        this.stream = false
        this.page = false
        this.examining = false
        this.timers.clear()
    }
  }
}
