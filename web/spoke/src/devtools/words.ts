import type { State } from '../machine/state.js'
import { describe, type Failure } from '../problem.js'

/** How good a state is, with a sign that needs no colour. */
export function verdictOf({ name }: State): { readonly mood: 'good' | 'fair' | 'bad'; readonly sign: string } {
  switch (name) {
    case 'live':
      return { mood: 'good', sign: '●' }
    case 'polling':
      return { mood: 'fair', sign: '◐' }
    case 'idle':
    case 'connecting':
      return { mood: 'fair', sign: '○' }
    default:
      return { mood: 'bad', sign: '✕' }
  }
}

/** Why a state is what it is, for people; empty if there is nothing to explain. */
export function causeOf(state: State): string {
  switch (state.name) {
    case 'idle':
      return 'nobody has subscribed'
    case 'connecting': {
      const s = Math.ceil(((state.retryAt ?? 0) - Date.now()) / 1_000)
      return because(state.cause) + (s > 0 ? `; next try in ${s} s` : '')
    }
    case 'polling':
      return because(state.cause)
    case 'offline':
      return state.why === 'network' ? 'the browser has no network' : 'the page is frozen, or left'
    case 'disabled':
      return state.by === 'hub' ? 'the hub has switched it off' : 'the page has switched it off'
    case 'unauthorised':
      return state.problem.detail
    case 'closed':
      return state.problem?.detail ?? 'for good'
    case 'live':
      return ''
  }
}

/** How events come. */
export function wayOf(state: State): string {
  switch (state.name) {
    case 'live':
      return `stream${state.rung > 0 ? `, choice ${state.rung + 1}` : ''}`
    case 'polling':
      return state.waits ? 'pages that are waited for' : 'pages'
    default:
      return 'none'
  }
}

function because(cause: Failure | undefined): string {
  return cause ? describe(cause) : ''
}
