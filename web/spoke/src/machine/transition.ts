import { connecting } from './connecting.js'
import { disabledMs, offlineMs, returnMs } from './delays.js'
import { begin, refusedPage, startPolling } from './enter.js'
import { live } from './live.js'
import { arm, ask, disarm, fresh, hasStreams, isAtRest, stop, with_ } from './parts.js'
import { polling, probe } from './polling.js'
import type { Event, Named, State, Step } from './state.js'

/**
 * transition is all that a connection decides: what follows from a state and an
 * event, and what is to be done for it. It is pure and total; an event that means
 * nothing in a state changes nothing.
 */
export function transition(state: State, event: Event): Step {
  return state.name === 'closed' ? [state, []] : (always(state, event) ?? inState(state, event))
}

/** What means the same in every state. */
function always(state: State, event: Event): Step | undefined {
  const { memory } = state
  switch (event.type) {
    case 'close':
      return [{ name: 'closed', memory, ...(event.problem && { problem: event.problem }) }, [stop]]
    case 'want':
      return want(state, event.wanted)
    case 'disable':
      return [{ name: 'disabled', by: 'app', asking: false, memory }, [stop]]
    case 'suspend':
      return isAtRest(state) ? [state, []] : [{ name: 'offline', why: 'suspended', memory }, [stop]]
    case 'online':
      return renewed(with_(state, { online: true }), event)
    case 'offline':
      return wentOffline(with_(state, { online: false }), event)
    case 'visible':
      return renewed(with_(state, { visible: true }), event)
    case 'hidden':
      return [with_(state, { visible: false }), []]
    default:
      return undefined
  }
}

function inState(state: State, event: Event): Step {
  switch (state.name) {
    case 'connecting':
      return connecting(state, event)
    case 'live':
      return live(state, event)
    case 'polling':
      return polling(state, event)
    case 'offline':
      return offline(state, event)
    case 'disabled':
      return disabled(state, event)
    case 'unauthorised':
      return event.type === 'kick' || (event.type === 'grown' && state.memory.anonymous)
        ? begin(fresh(state.memory))
        : [state, []]
    default:
      return [state, []]
  }
}

/** A reason to hope: what waits for its time does not any longer. */
export function renewed(state: State, event: Event): Step {
  switch (state.name) {
    case 'connecting':
      return state.streaming || state.examining || state.retryAt === undefined
        ? [state, []]
        : begin(fresh(state.memory), state.cause)
    case 'polling':
      return probe({ ...state, probes: 0 })
    case 'offline':
      return state.why === 'network' && event.type === 'online' ? begin(fresh(state.memory)) : [state, []]
    default:
      return [state, []]
  }
}

function want(before: State, wanted: boolean): Step {
  const state = with_(before, { wanted })
  const { memory } = state
  if (!wanted) {
    if ((state.name === 'unauthorised' && !memory.anonymous) || (state.name === 'disabled' && state.by === 'app'))
      return [state, []]
    return [{ name: 'idle', memory }, state.name === 'idle' ? [] : [stop]]
  }
  return state.name === 'idle' ? begin(memory) : [state, []]
}

function wentOffline(state: State, event: Event): Step {
  if (isAtRest(state) || state.name === 'offline') return [state, []]
  return [
    { name: 'offline', why: 'network', memory: state.memory },
    [stop, arm('retry', offlineMs * (1 + event.luck / 4))],
  ]
}

export function offline(state: Named<'offline'>, event: Event): Step {
  switch (event.type) {
    case 'resume':
      return begin(fresh(state.memory))
    case 'kick':
      return state.why === 'network' ? begin(fresh(state.memory)) : [state, []]
    case 'timer':
      return event.timer === 'retry' && state.why === 'network' ? begin(state.memory) : [state, []]
    default:
      return [state, []]
  }
}

export function disabled(state: Named<'disabled'>, event: Event): Step {
  const { memory } = state
  if (state.by === 'app') {
    if (event.type !== 'enable') return [state, []]
    return memory.wanted ? begin(fresh(memory)) : [{ name: 'idle', memory }, [stop]]
  }
  switch (event.type) {
    case 'timer':
      return event.timer === 'poll' && !state.asking ? [{ ...state, asking: true }, [ask(false)]] : [state, []]
    case 'kick':
    case 'resume':
      return state.asking ? [state, []] : [{ ...state, asking: true }, [disarm('poll'), ask(false)]]
    case 'page': {
      if (!state.asking) return [state, []]
      const back: Named<'connecting'> = {
        name: 'connecting',
        streaming: false,
        asking: true,
        examining: false,
        memory: fresh(memory),
      }
      const [next, effects] = startPolling(back, event)
      const soon = hasStreams(next.memory) ? [arm('probe', event.luck * returnMs)] : []
      return [next, [...effects, ...soon]]
    }
    case 'noPage':
      if (!state.asking) return [state, []]
      return (
        refusedPage(state, event.failure, event) ?? [
          { ...state, asking: false },
          [arm('poll', disabledMs * (1 + event.luck / 2))],
        ]
      )
    default:
      return [state, []]
  }
}
