// What follows when a stream does not come about, does not last, or is given up.
import { type Failure, isPassing } from '../problem.js'
import { type Level, streamsAt } from '../wire.js'
import { offlineMs, retryDelay, watchdogMs } from './delays.js'
import { openStream } from './enter.js'
import { arm, ask, disarm, hangUp, stop, with_ } from './parts.js'
import type { Effect, Event, Memory, Named, Step } from './state.js'

/** A stream has not come about, or has not lasted. */
export function failed(state: Named<'connecting' | 'live'>, failure: Failure, event: Event): Step {
  const memory: Memory = { ...state.memory, attempts: state.memory.attempts + 1 }
  const asking = state.name === 'connecting' && state.asking
  const next: Named<'connecting'> = {
    name: 'connecting',
    streaming: false,
    asking,
    examining: false,
    memory,
    cause: failure,
  }
  const over: Effect[] = [hangUp, disarm('proof'), disarm('watchdog'), disarm('steady')]
  if (failure.kind === 'refused') {
    const { problem } = failure
    if (problem.code === 'unauthorised' && !memory.anonymous) return [{ name: 'unauthorised', memory, problem }, [stop]]
    if (problem.code === 'degraded') return degraded(next, problem.level ?? 'polling', over, event.luck * 1_000)
    if (!isPassing(failure)) return [{ ...next, asking: false, examining: true }, [stop, { do: 'examine' }]]
  }
  if (!memory.online) return [{ name: 'offline', why: 'network', memory }, [stop, arm('retry', offlineMs)]]
  if (failure.kind === 'mute' || failure.kind === 'foreign') return mute(next, over, event)
  const floorMs = failure.kind === 'refused' ? (failure.retryAfterMs ?? 0) : 0
  const [waiting, effects] = wait(next, retryDelay(memory, event.luck, floorMs), event)
  // Twice is no accident: see whether pages come.
  const scout = memory.attempts < 2 || asking ? [] : [arm('poll', floorMs)]
  return [waiting, [...over, ...effects, ...scout]]
}

/** The stream is held back on the way: the next transport's turn, and after the last pages'. */
function mute(state: Named<'connecting'>, over: Effect[], event: Event): Step {
  const { memory } = state
  const rung = (memory.rung + 1) % memory.rungs
  const next = { ...state, memory: { ...memory, rung } }
  if (rung !== 0) {
    const [opening, effects] = openStream(next)
    return [opening, [...over, ...effects]]
  }
  const [waiting, effects] = wait({ ...next, asking: true }, retryDelay(memory, event.luck), event)
  return [waiting, [...over, ...effects, ...(state.asking ? [] : [ask(false)])]]
}

/** Waits before the next stream is asked for. */
export function wait(state: Named<'connecting'>, ms: number, event: Event): [Named<'connecting'>, Effect[]] {
  return [{ ...state, retryAt: event.now + ms }, [arm('retry', ms)]]
}

/** The hub says its level; at some there are no streams. */
export function levelled(state: Named<'connecting' | 'live'>, event: Event & { type: 'level' }): Step {
  const { level, forMs, receipts = 0 } = event
  const next = with_(state, { level, levelUntil: forMs ? event.now + forMs : 0, receipts })
  if (!event.poll) return next.name === 'live' ? paced(next, event.heartbeatMs) : [next, []]
  const { memory } = next
  const asking = next.name === 'connecting' && next.asking
  return degraded(
    { name: 'connecting', streaming: false, asking, examining: false, memory },
    streamsAt(event.level) ? 'polling' : event.level,
    [hangUp, disarm('proof'), disarm('watchdog'), disarm('steady')],
    event.retryMs ?? 0,
  )
}

/** The hub has given streams up: the first page comes after a while, for all are told at once. */
function degraded(state: Named<'connecting'>, level: Level, over: readonly Effect[], ms: number): Step {
  const { retryAt: _, ...rest } = state
  const next = { ...rest, streaming: false, memory: { ...state.memory, level } }
  return [next, [...over, disarm('retry'), ...(state.asking ? [] : [arm('poll', ms)])]]
}

/** The hub says how often it sends heartbeats. */
export function paced(state: Named<'live'>, heartbeatMs: number | undefined): Step {
  if (!heartbeatMs || heartbeatMs === state.memory.heartbeatMs) return [state, []]
  const next = with_(state, { heartbeatMs })
  return [next, [arm('watchdog', watchdogMs(next.memory))]]
}
