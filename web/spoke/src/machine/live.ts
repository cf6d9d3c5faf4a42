import { begin } from './enter.js'
import { failed, levelled, paced } from './failure.js'
import { fresh, with_ } from './parts.js'
import type { Event, Named, Step } from './state.js'

/** Live: until the stream ends, is silent, or is given up. */
export function live(state: Named<'live'>, event: Event): Step {
  switch (event.type) {
    case 'heartbeat':
      return paced(state, event.heartbeatMs)
    case 'level':
      return levelled(state, event)
    case 'retry':
      return [with_(state, { retryMs: event.ms }), []]
    case 'bye':
      return failed(
        with_(state, { retryMs: Math.max(event.retryMs, 100), attempts: 0 }),
        { kind: 'ended' },
        { ...event, luck: 1 }, // the hub has spread it already
      )
    case 'ended':
      return failed(state, event.failure, event)
    case 'grown':
      return begin(state.memory)
    case 'resume':
      return begin(fresh(state.memory))
    case 'timer':
      if (event.timer === 'watchdog') return failed(state, { kind: 'silent' }, event)
      return event.timer === 'steady' ? [with_(state, { attempts: 0 }), []] : [state, []]
    default:
      return [state, []]
  }
}
