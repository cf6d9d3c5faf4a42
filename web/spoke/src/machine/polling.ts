import type { Failure } from '../problem.js'
import { gapMs, offlineMs, pollDelay, probeDelay, promptMs, proofMs, returnMs } from './delays.js'
import { askNext, begin, goLive, paged, probing, refusedPage } from './enter.js'
import { arm, disarm, hangUp, hasStreams, retryAfter, stop, with_ } from './parts.js'
import type { Effect, Event, Named, Step, Timer } from './state.js'

/** Polling: pages come one after the other, and now and then a stream is tried. */
export function polling(state: Named<'polling'>, event: Event): Step {
  switch (event.type) {
    case 'page':
      return state.asking ? gotPage({ ...state, asking: false }, event) : [state, []]
    case 'noPage':
      return state.asking ? gotNoPage({ ...state, asking: false }, event.failure, event) : [state, []]
    case 'sent':
      return [state, state.streaming ? [arm('proof', proofMs)] : []]
    case 'proved':
      return state.streaming ? goLive(state, event) : [state, []]
    case 'retry':
      return [with_(state, { retryMs: event.ms }), []]
    case 'ended':
      return state.streaming ? probeFailed(state, event.failure, event) : [state, []]
    case 'level':
      return event.poll && state.streaming
        ? probeFailed(with_(state, { level: event.level }), { kind: 'ended' }, event)
        : [with_(state, { level: event.level }), []]
    case 'grown':
      return polledMore(state)
    case 'kick':
    case 'resume':
      return probe({ ...state, probes: 0 })
    case 'timer':
      return pollingTimer(state, event.timer, event)
    default:
      return [state, []]
  }
}

function pollingTimer(state: Named<'polling'>, timer: Timer, event: Event): Step {
  switch (timer) {
    case 'poll':
      return state.asking ? [state, []] : askNext(state)
    case 'probe':
      return probe(state)
    case 'proof':
      return state.streaming ? probeFailed(state, { kind: 'mute' }, event) : [state, []]
    default:
      return [state, []]
  }
}

function gotPage(state: Named<'polling'>, event: Event & { type: 'page' }): Step {
  const next = { ...paged(state, event.level), failures: 0 }
  const back = levelChange(state, next, event.luck)
  // A page that is waited for is followed by the next; one that came empty and at
  // once, which nobody has waited for, would make a loop of that.
  const waited = event.count > 0 || (next.waits && event.tookMs >= promptMs)
  const ms = waited ? gapMs - event.tookMs : pollDelay(next.memory, event.luck)
  if (ms > 0) return [next, [...back, arm('poll', ms)]]
  const [asked, effects] = askNext(next)
  return [asked, [...back, ...effects]]
}

/** What a change of the level means for streams. */
function levelChange(before: Named<'polling'>, now: Named<'polling'>, luck: number): Effect[] {
  if (hasStreams(before.memory) === hasStreams(now.memory)) return []
  return hasStreams(now.memory) ? [arm('probe', luck * returnMs)] : [disarm('probe')]
}

function gotNoPage(state: Named<'polling'>, failure: Failure, event: Event): Step {
  const elsewhere = refusedPage(state, failure, event)
  if (elsewhere) return elsewhere
  const failures = state.failures + 1
  if (failures >= 3 && !state.memory.online)
    return [{ name: 'offline', why: 'network', memory: state.memory }, [stop, arm('retry', offlineMs)]]
  if (failures >= 3) return begin(state.memory, failure) // the hub cannot be reached at all
  // Something on the way may end what takes long.
  const waits = state.waits && failures < 2
  const ms = Math.max(pollDelay(state.memory, event.luck, failures - 1), retryAfter(failure))
  return [{ ...state, failures, waits }, [arm('poll', ms)]]
}

/** More is wanted than the page that is waited for, and the stream, were asked for. */
function polledMore(state: Named<'polling'>): Step {
  const [asked, effects] = askNext(state)
  const again: Effect[] = state.streaming ? [hangUp, disarm('proof'), { do: 'open', rung: state.memory.rung }] : []
  return [asked, [...(state.asking ? [{ do: 'unask' } as const] : []), ...effects, ...again]]
}

/** Tries a stream beside the pages, which go on until it has proved itself. */
export function probe(state: Named<'polling'>): Step {
  if (state.streaming || !hasStreams(state.memory)) return [state, []]
  return [{ ...state, streaming: true }, [disarm('probe'), { do: 'open', rung: state.memory.rung }]]
}

function probeFailed(state: Named<'polling'>, failure: Failure, event: Event): Step {
  const { memory } = state
  const rung = (memory.rung + 1) % memory.rungs
  const next = { ...with_(state, { rung }), streaming: false, waits: true, probes: state.probes + 1, cause: failure }
  const over: Effect[] = [hangUp, disarm('proof')]
  if (failure.kind !== 'refused') return [next, [...over, ...probing(next, event.luck)]]
  if (failure.problem.code === 'degraded') return [with_(next, { level: failure.problem.level ?? 'polling' }), over]
  const elsewhere = refusedPage(next, failure, event)
  if (elsewhere) return elsewhere
  const ms = Math.max(probeDelay(next.probes, event.luck), retryAfter(failure))
  return [next, [...over, arm('probe', ms)]]
}
