/**
 * The entities of a topic as they are now, with our own changes shown before the hub has
 * them.
 *
 * @module
 */
import type { Outbox } from '../outbox/index.js'
import type { HubError } from '../problem.js'
import type { EventMap, EventOf } from '../schema.js'
import type { Spoke } from '../spoke.js'
import type { LiveItem } from './ledger.js'
import { Live } from './live.js'
import type { Merge } from './merge.js'

export type { LiveItem } from './ledger.js'
export { type Merge, MergeError, mergeFields } from './merge.js'
export { rebase } from './rebase.js'

export interface LiveStateOptions<Events extends object, Entity> {
  /** The topic whose keys are the entities. */
  readonly topic: string
  /** The type of the events that changes are published as, with the whole entity as data. */
  readonly type: keyof Events & string
  /** What an event makes of an entity; nothing removes it. Defaults to the event's data. */
  readonly apply?: (entity: Entity | undefined, event: EventOf<Events>) => Entity | undefined
  /**
   * Settles what two have changed at a time; it may ask somebody, and throw. Defaults to
   * `mergeFields`. With an outbox, give `rebase(merge)` to that instead.
   */
  readonly merge?: Merge<Entity>
  /** Sends the changes: they outlive the page, and are shown in every tab and when it is back. */
  readonly outbox?: Outbox<Events>
}

/** The entities of a topic, by key. */
export interface LiveState<Entity> {
  /** What is shown; another map after every change. */
  readonly items: ReadonlyMap<string, LiveItem<Entity>>
  /** Whether the hub's state is in `items`. Not so before it has come first, and after a reset. */
  readonly ready: boolean
  /** Why the topic cannot be followed, if it cannot. */
  readonly error: HubError | undefined
  /** Calls back after every change, and returns what ends that. */
  watch(listener: () => void): () => void
  /**
   * Changes an entity: `change` gets what is shown, and makes another of it; nothing
   * removes it. The change is seen at once, and replayed over what comes meanwhile.
   * Resolves when the hub has it. Rejects, and the change is undone, when the hub refuses
   * it, or with a MergeError when somebody else has changed the same; with an outbox, which
   * may settle that in another tab, with a ConflictError that says so.
   */
  update(
    key: string,
    change: (entity: Entity | undefined) => Entity | undefined,
    options?: { readonly type?: string },
  ): Promise<void>
  /** Ends it. Changes that are under way go on. */
  close(): void
}

/** What a live state needs of a spoke. */
export type Followed<Events extends object> = Pick<Spoke<Events>, 'subscribe' | 'publish' | 'cursor' | 'report'>

/** Follows a topic's state. */
export function liveState<Entity, Events extends object = EventMap>(
  spoke: Followed<Events>,
  options: LiveStateOptions<Events, Entity>,
): LiveState<Entity> {
  return new Live(spoke, options)
}
