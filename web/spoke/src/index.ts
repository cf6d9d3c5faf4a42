/**
 * The spoke: live events from a Nave hub, and publishing to it.
 *
 * It promises what the hub does as far as it reaches: events in the hub's order,
 * each once, batches whole, and after every interruption either all that was
 * missed or a call of `reset`. A cursor never passes what has been handed over.
 *
 * @module
 */

export type { Frame, Notice } from './frames.js'
export type { Ask, Fetch, Http } from './http.js'
export type { Memory, State, StateName } from './machine/state.js'
export { type Conflict, ConflictError, describe, type Failure, HubError, type Problem } from './problem.js'
export type { Draft, Published, PublishOptions } from './publisher.js'
export { type EventMap, type EventOf, InvalidEventError, type Schema, type Schemas, type Typed } from './schema.js'
export { createSpoke, type Spoke, type SpokeOptions, type TabsFactory } from './spoke.js'
export type { SubscribeOptions, Subscriber } from './subscription.js'
export type { TokenReason, TokenSource } from './tokens.js'
export { fetchStream } from './transports/stream.js'
export type { StreamSink, StreamTransport, Wish } from './transports/transport.js'
export type { Level, ResetReason, Sync, WireEvent } from './wire.js'
