/**
 * The spoke: how it is connected to a Nave hub.
 *
 * @module
 */
export type { Effect, Event, Happening, Memory, State, StateName, Step, Timer } from './machine/state.js'
export { initial } from './machine/state.js'
export { transition } from './machine/transition.js'
export { describe, type Failure, type Problem } from './problem.js'
export type { Level } from './wire.js'
