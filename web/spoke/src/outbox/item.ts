import type { ConflictError, Problem } from '../problem.js'
import type { Draft, Published } from '../publisher.js'

/** What is published together, from when it was enqueued until the hub has it. */
export interface OutboxItem<Events extends object> {
  readonly id: string
  /** Items of one lane are sent one after the other. */
  readonly lane: string
  /** Every one has its id, which never changes. */
  readonly drafts: readonly Draft<Events>[]
  /** When it was enqueued, in milliseconds since 1970. */
  readonly at: number
  /** Its place: rises from item to item. */
  readonly order: number
  /** Its size as JSON, in bytes. */
  readonly size: number
  /** Whether it goes on from the version that the item before it in its lane gets. */
  readonly chain: boolean
  /** What was enqueued with it for whoever settles a conflict. */
  readonly note?: unknown
  /** How often it was changed after a conflict. */
  readonly rebases: number
  /** Why it is not sent any more; absent while it waits. */
  readonly failure?: Failed
}

/** Why an item was given up: the hub's refusal, if it was one, and the reason in words. */
export interface Failed {
  readonly reason: string
  readonly problem?: Problem
}

/** How an item has ended: with the hub's answer, or without one, dropped or discarded. */
export interface Ended<Events extends object> {
  readonly item: OutboxItem<Events>
  readonly published?: Published
}

/**
 * What becomes of an item that somebody was faster than: other drafts, which keep the
 * ids of those whose places they take; `'drop'`, and it is forgotten; or nothing, and it
 * is given up, as it is when this throws.
 */
export type SettleConflict<Events extends object> = (
  item: OutboxItem<Events>,
  error: ConflictError,
) => Settled<Events> | Promise<Settled<Events>>

export type Settled<Events extends object> =
  | readonly Draft<Events>[]
  | { readonly drafts: readonly Draft<Events>[]; readonly note: unknown }
  | 'drop'
  | undefined

/** Where what waits is kept: on disk, or in this page's memory alone, to be lost with the page. */
export type Kept = 'disk' | 'memory'
