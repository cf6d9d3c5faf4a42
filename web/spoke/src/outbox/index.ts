/**
 * Publishing that outlives the page: what is enqueued is kept in the browser until the
 * hub has it.
 *
 * @module
 */
import type { HubError } from '../problem.js'
import type { Draft, Published } from '../publisher.js'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'
import type { Ended, Kept, OutboxItem, SettleConflict } from './item.js'
import { Box } from './outbox.js'

export type { Ended, Failed, Kept, OutboxItem, SettleConflict, Settled } from './item.js'

export interface OutboxOptions<Events extends object> {
  /**
   * Who is signed in, such as a user's id: only tabs of the same share an outbox, and
   * what one has left is not sent by another. Name the hub in it, too, if there are several.
   */
  readonly identity: string
  /** Settles conflicts, of all items or by the type of their first drafts. Without, they are given up. */
  readonly conflict?: SettleConflict<Events> | { readonly [Type in keyof Events & string]?: SettleConflict<Events> }
  /** Hears, in every tab, of each item that is given up. */
  readonly onGivenUp?: (item: OutboxItem<Events>) => void
}

export interface EnqueueOptions {
  /** What is enqueued with the same lane is sent one after the other. Defaults to topic and key of the first draft. */
  readonly lane?: string
  /** An `ifVersion` gives way to the version that an item before it in the lane gets for the same key. */
  readonly chain?: boolean
  /** Anything that is JSON, kept for whoever settles a conflict. */
  readonly note?: unknown
}

/** What has been enqueued. */
export interface Handle {
  readonly id: string
  /** Resolves when it is kept, and says where. Rejects if the outbox is full. */
  readonly stored: Promise<Kept>
  /** Resolves with the hub's answer, for as long as this page is there. Rejects if it is given up or dropped. */
  readonly sent: Promise<Published>
}

/** An outbox: one for all tabs of an identity. At most 1,000 items of 5 MB together, for a day. */
export interface Outbox<Events extends object> {
  /** Resolves when what earlier pages have left is in `items`. */
  readonly ready: Promise<void>
  /** What waits, in order; another array after every change. */
  readonly items: readonly OutboxItem<Events>[]
  /** What is not sent any more and why, until it is sent again or discarded. */
  readonly givenUp: readonly OutboxItem<Events>[]
  /** Where what waits is kept. In memory it is lost with this page. */
  readonly durability: Kept
  /** Why nothing is sent at present: who is signed in is refused. */
  readonly paused: HubError | undefined
  /** Calls back after every change, with an item that has ended if it is that; returns what ends it. */
  watch(listener: (ended?: Ended<Events>) => void): () => void
  /** Publishes drafts, together if there are several, as soon as that is possible. */
  enqueue(drafts: Draft<Events> | readonly Draft<Events>[], options?: EnqueueOptions): Handle
  /**
   * Sends what was given up once more, with the same ids. The hub knows them for a day: what
   * was given up for its age may have been stored without our hearing of it, and is then stored twice.
   */
  again(id: string): void
  /** Forgets an item, whether it waits or was given up. */
  discard(id: string): void
  /** Goes on after a pause. It does so by itself when the spoke is connected again. */
  resume(): void
  /** Ends it for this page. What waits is kept, and sent by another. */
  close(): void
}

/** Opens the outbox of an identity. */
export function createOutbox<Events extends object = EventMap>(
  spoke: Spoke<Events>,
  options: OutboxOptions<Events>,
): Outbox<Events> {
  return new Box(spoke, options)
}
