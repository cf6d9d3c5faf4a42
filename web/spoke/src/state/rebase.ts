import type { OutboxItem, SettleConflict } from '../outbox/item.js'
import type { Draft } from '../publisher.js'
import type { EventMap } from '../schema.js'
import { type Merge, mergeFields } from './merge.js'

/** What a change in an outbox was made of. */
export function noteOf<Entity>({ note }: { readonly note?: unknown }): { readonly base?: Entity | undefined } {
  return typeof note === 'object' && note !== null ? note : {}
}

/** A draft whose data is an entity of the map's. */
export function draftOf<Events extends object>(draft: Draft<EventMap>): Draft<Events> {
  return draft as Draft<Events>
}

/**
 * Settles the conflicts of changes that a live state has put into an outbox: its option
 * `conflict`. Merges field by field; what cannot be merged is given up.
 */
export function rebase<Events extends object, Entity>(merge: Merge<Entity> = mergeFields): SettleConflict<Events> {
  return async (item: OutboxItem<Events>, { conflicts: [conflict] }) => {
    const [draft] = item.drafts
    if (draft === undefined || conflict === undefined) return undefined
    const theirs = conflict.event?.data as Entity | undefined
    const mine = await merge(noteOf<Entity>(item).base, theirs, draft.data as Entity | undefined)
    return {
      drafts: [draftOf({ ...draft, data: mine, ifVersion: conflict.version })],
      note: { base: theirs },
    }
  }
}
