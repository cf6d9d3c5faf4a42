import { type Failure, isPassing } from '../problem.js'
import { proofMs, retryDelay } from './delays.js'
import { begin, goLive, openStream, refusedPage, startPolling } from './enter.js'
import { failed, levelled, wait } from './failure.js'
import { arm, ask, fresh, hasStreams, retryAfter, stop, with_ } from './parts.js'
import type { Event, Named, Step, Timer } from './state.js'

/** Connecting: a stream is asked for or waited for, and maybe a page beside it. */
export function connecting(state: Named<'connecting'>, event: Event): Step {
  switch (event.type) {
    case 'sent':
      return [state, state.streaming ? [arm('proof', proofMs)] : []]
    case 'proved':
      return state.streaming ? goLive(state, event) : [state, []]
    case 'level':
      return levelled(state, event)
    case 'retry':
      return [with_(state, { retryMs: event.ms }), []]
    case 'ended':
      return state.streaming ? failed(state, event.failure, event) : [state, []]
    case 'page':
      return state.asking ? startPolling(state, event) : [state, []]
    case 'noPage':
      return state.asking ? noScout({ ...state, asking: false }, event.failure, event) : [state, []]
    case 'examined':
      return state.examining ? examined(state, event.failure, event) : [state, []]
    case 'grown':
      return state.streaming ? begin(state.memory, state.cause) : [state, []]
    case 'kick':
    case 'resume':
      return begin(fresh(state.memory), state.cause)
    case 'timer':
      return connectingTimer(state, event.timer, event)
    default:
      return [state, []]
  }
}

function connectingTimer(state: Named<'connecting'>, timer: Timer, event: Event): Step {
  switch (timer) {
    case 'retry':
      return state.streaming ? [state, []] : openStream(state)
    case 'proof':
      return state.streaming ? failed(state, { kind: 'mute' }, event) : [state, []]
    case 'poll':
      return state.asking ? [state, []] : [{ ...state, asking: true }, [ask(false)]]
    default:
      return [state, []]
  }
}

/** It is known who is to blame for a refusal, and gone; or why that is not known. */
function examined(state: Named<'connecting'>, failure: Failure | undefined, event: Event): Step {
  const { memory } = state
  if (failure === undefined) return begin(memory, state.cause)
  if (failure.kind !== 'refused' || isPassing(failure)) return failed({ ...state, examining: false }, failure, event)
  const { problem } = failure
  return [{ name: problem.code === 'unauthorised' ? 'unauthorised' : 'closed', memory, problem }, [stop]]
}

/** Nor does a page come. */
function noScout(state: Named<'connecting'>, failure: Failure, event: Event): Step {
  const elsewhere = refusedPage(state, failure, event)
  if (elsewhere) return elsewhere
  if (hasStreams(state.memory)) {
    return state.streaming || state.retryAt !== undefined
      ? [state, []]
      : wait(state, retryDelay(state.memory, event.luck), event)
  }
  const memory = { ...state.memory, attempts: state.memory.attempts + 1 }
  return [{ ...state, memory, cause: failure }, [arm('poll', retryDelay(memory, event.luck, retryAfter(failure)))]]
}
