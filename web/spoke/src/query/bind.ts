import { matchQuery, type QueryClient, type QueryKey } from '@tanstack/query-core'
import type { EventOf } from '../schema.js'
import type { Spoke } from '../spoke.js'
import { type Effects, Keeper } from './keeper.js'
import { nudge } from './silence.js'

/** Which events are about which queries, and how. */
export interface Binding<Events extends object, Data> extends Effects<Events, Data> {
  /** The queries that the filters are about: their keys begin with this. */
  readonly queryKey: QueryKey
  /** The queries of those that one event is about; all of them if absent. */
  readonly keyOf?: ((event: EventOf<Events>) => QueryKey) | undefined
}

/** Keeps the queries of a binding up to date, and returns what ends that. */
export function bindQueries<Events extends object, Data>(
  client: QueryClient,
  spoke: Spoke<Events>,
  binding: Binding<Events, Data>,
): () => void {
  const cache = client.getQueryCache()
  const queries = (event?: EventOf<Events>) =>
    cache.findAll({ queryKey: (event && binding.keyOf?.(event)) ?? binding.queryKey })
  const keeper = new Keeper(client, spoke, { effects: () => binding, queries })
  const unwatch = cache.subscribe((event) => {
    if (!matchQuery({ queryKey: binding.queryKey }, event.query)) return
    if (event.type === 'updated') keeper.updated(event.query, event.action)
    if (event.type === 'removed') keeper.removed(event.query)
  })
  const unnudge = nudge(spoke, queries)
  return () => {
    keeper.end()
    unwatch()
    unnudge()
  }
}
