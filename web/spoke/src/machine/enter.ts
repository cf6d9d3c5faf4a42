// How states are come to from others.
import { type Failure, isPassing } from '../problem.js'
import type { Level } from '../wire.js'
import { disabledMs, probeDelay, steadyMs, watchdogMs } from './delays.js'
import { arm, ask, because, disarm, hasStreams, stop, with_ } from './parts.js'
import type { Effect, Event, Memory, Named, State, Step } from './state.js'

/** Asks for a stream at once, and forgets what else was under way. */
export function begin(memory: Memory, cause?: Failure): Step {
  const [state, effects] = openStream({
    name: 'connecting',
    streaming: false,
    asking: false,
    examining: false,
    memory,
    ...because(cause),
  })
  return [state, [stop, ...effects]]
}

/** Asks for a stream, or where the hub has none for a page. */
export function openStream(state: Named<'connecting'>): Step {
  const { retryAt: _, ...rest } = state
  if (!hasStreams(state.memory)) return [{ ...rest, asking: true }, state.asking ? [] : [ask(false)]]
  return [{ ...rest, streaming: true }, [{ do: 'open', rung: state.memory.rung }]]
}

/** The stream has proved itself: nothing else is needed. */
export function goLive(state: Named<'connecting' | 'polling'>, event: Event & { type: 'proved' }): Step {
  const { connection, level = 'normal', heartbeatMs = state.memory.heartbeatMs, receipts = 0 } = event
  const memory: Memory = { ...state.memory, level, levelUntil: 0, heartbeatMs, receipts }
  return [
    { name: 'live', rung: memory.rung, since: event.now, ...(connection && { connection }), memory },
    [
      { do: 'unask' },
      ...(['retry', 'proof', 'poll', 'probe'] as const).map(disarm),
      arm('watchdog', watchdogMs(memory)),
      arm('steady', steadyMs),
    ],
  ]
}

/** A page has come where no stream does. */
export function startPolling(state: Named<'connecting'>, event: Event & { type: 'page' }): Step {
  const { memory } = paged(state, event.level)
  const next: Named<'polling'> = {
    name: 'polling',
    streaming: state.streaming,
    asking: false,
    waits: true,
    failures: 0,
    probes: 0,
    since: event.now,
    memory,
    ...because(state.cause),
  }
  const probe = state.streaming ? [] : probing(next, event.luck)
  const [asked, effects] = askNext(next)
  return [asked, [disarm('retry'), ...probe, ...effects]]
}

/** A page does not say how long its level lasts: that is known of the same one alone. */
export function paged<S extends State>(state: S, level: Level): S {
  return level === state.memory.level ? state : with_(state, { level, levelUntil: 0 })
}

/** Asks for the next page. */
export function askNext(state: Named<'polling'>): Step {
  return [{ ...state, asking: true }, [disarm('poll'), ask(state.waits)]]
}

/** When the next stream is tried. */
export function probing(state: Named<'polling'>, luck: number): Effect[] {
  return hasStreams(state.memory) ? [arm('probe', probeDelay(state.probes, luck))] : []
}

/** What a refusal of a page means wherever it comes; undefined if it may pass. */
export function refusedPage(state: State, failure: Failure, event: Event): Step | undefined {
  if (failure.kind !== 'refused') return undefined
  const { memory } = state
  const { problem } = failure
  switch (true) {
    case problem.code === 'unauthorised' && !memory.anonymous:
      return [{ name: 'unauthorised', memory, problem }, [stop]]
    case problem.code === 'degraded': {
      const level = problem.level ?? 'off'
      const ms = (failure.retryAfterMs ?? disabledMs) * (1 + event.luck / 2)
      return [{ name: 'disabled', by: 'hub', asking: false, memory: { ...memory, level } }, [stop, arm('poll', ms)]]
    }
    case !isPassing(failure):
      return [
        { name: 'connecting', streaming: false, asking: false, examining: true, memory, cause: failure },
        [stop, { do: 'examine' }],
      ]
    default:
      return undefined
  }
}
