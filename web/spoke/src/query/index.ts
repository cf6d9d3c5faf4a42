/**
 * The spoke for TanStack Query: events go into the cache, and queries poll only
 * while the spoke is not live.
 *
 * @module
 */
import { notifyManager, type Query, type QueryClient, type QueryKey } from '@tanstack/query-core'
import type { EventMap, EventOf } from '../schema.js'
import type { Spoke } from '../spoke.js'

/** Which events are about which queries, and how. */
export interface Binding<Map extends object, Data> {
  readonly filters: string | readonly string[]
  /** The queries that the filters are about: their keys begin with this. */
  readonly queryKey: QueryKey
  /** The queries of those that one event is about; all of them if absent. */
  readonly keyOf?: (event: EventOf<Map>) => QueryKey
  /**
   * What an event makes of the data. It has to bear the same event twice, and one
   * that the data has already: compare versions. Nothing, or no `apply`, fetches anew.
   */
  readonly apply?: (data: Data, event: EventOf<Map>) => Data | undefined
}

/**
 * A `refetchInterval` for queries that are bound: none while events come, by stream
 * or by pages, and the given one while neither does.
 */
export function whileSilent(spoke: Pick<Spoke<EventMap>, 'state'>, ms: number): () => number | false {
  return () => (spoke.state.name === 'live' || spoke.state.name === 'polling' ? false : ms)
}

/** Of how many events the cache remembers that they came during a fetch. */
const mostRemembered = 500
/** Over how long fetches are spread that an event brings about in every browser. */
const spreadMs = 1_000

/**
 * Keeps the queries of a binding up to date, and returns what ends that. A fetch
 * that was under way when an event came does not undo it: the event is applied
 * again to what the fetch brings.
 */
export function bindQueries<Map extends object, Data>(
  client: QueryClient,
  spoke: Spoke<Map>,
  binding: Binding<Map, Data>,
): () => void {
  const during = new WeakMap<Query, EventOf<Map>[]>()
  const refetches = new globalThis.Map<string, ReturnType<typeof setTimeout>>()

  const refetch = (queryKey: QueryKey) => {
    const name = JSON.stringify(queryKey)
    if (refetches.has(name)) return
    const timer = setTimeout(
      () => {
        refetches.delete(name)
        void client.invalidateQueries({ queryKey })
      },
      100 + Math.random() * spreadMs,
    )
    refetches.set(name, timer)
  }

  const apply = (query: Query, events: readonly EventOf<Map>[]) => {
    let data = query.state.data as Data | undefined
    for (const event of events) if (data !== undefined) data = binding.apply?.(data, event)
    if (data === undefined) refetch(query.queryKey)
    else if (data !== query.state.data) client.setQueryData(query.queryKey, data)
  }

  const take = (event: EventOf<Map>) => {
    for (const query of client.getQueryCache().findAll({ queryKey: binding.keyOf?.(event) ?? binding.queryKey })) {
      if (query.state.fetchStatus !== 'idle') {
        const missed = during.get(query) ?? []
        if (missed.length < mostRemembered) during.set(query, [...missed, event])
      }
      if (query.state.data !== undefined) apply(query, [event])
    }
  }

  const unwatch = client.getQueryCache().subscribe(({ type, query, ...rest }) => {
    if (type !== 'updated' || !('action' in rest)) return
    if (rest.action.type === 'fetch') during.delete(query)
    if (rest.action.type !== 'success' || rest.action.manual) return
    const events = during.get(query)
    during.delete(query)
    if (events) queueMicrotask(() => apply(query, events))
  })

  const unsubscribe = spoke.subscribe(binding.filters, {
    // Who renders sees a batch as one change.
    events: (events) => notifyManager.batch(() => events.forEach(take)),
    reset: () => void client.invalidateQueries({ queryKey: binding.queryKey }),
  })

  // Observers look at their interval only when something changes for them.
  const unnudge = spoke.watch(() => {
    for (const query of client.getQueryCache().findAll({ queryKey: binding.queryKey })) {
      for (const observer of query.observers) observer.setOptions(observer.options)
    }
  })

  return () => {
    unsubscribe()
    unwatch()
    unnudge()
    for (const timer of refetches.values()) clearTimeout(timer)
  }
}
