// Small parts of what the states have in common.
import type { Failure } from '../problem.js'
import { streamsAt } from '../wire.js'
import type { Effect, Memory, State, Timer } from './state.js'

export const stop: Effect = { do: 'stop' }

export const hangUp: Effect = { do: 'hangUp' }

export function ask(wait: boolean): Effect {
  return { do: 'ask', wait }
}

export function arm(timer: Timer, ms: number): Effect {
  return { do: 'arm', timer, ms }
}

export function disarm(timer: Timer): Effect {
  return { do: 'disarm', timer }
}

/** Whether nothing is to happen by itself. */
export function isAtRest(state: State): boolean {
  return ['idle', 'disabled', 'unauthorised', 'closed'].includes(state.name)
}

export function hasStreams(memory: Memory): boolean {
  return memory.rungs > 0 && streamsAt(memory.level)
}

export function fresh(memory: Memory): Memory {
  return { ...memory, attempts: 0, rung: 0 }
}

export function with_<S extends State>(state: S, change: Partial<Memory>): S {
  return { ...state, memory: { ...state.memory, ...change } }
}

export function because(cause: Failure | undefined): { cause?: Failure } {
  return cause ? { cause } : {}
}

export function retryAfter(failure: Failure): number {
  return failure.kind === 'refused' ? (failure.retryAfterMs ?? 0) : 0
}
