import type { InfiniteData, Query, QueryClient, QueryKey } from '@tanstack/query-core'
import type { Spoke } from '../spoke.js'
import { type Effects, Keeper } from './keeper.js'
import { type Interval, nudge, whileSilent } from './silence.js'

/** Options of a query, as for `useQuery`, `useSuspenseQuery`, `useInfiniteQuery`, `prefetchQuery` and others. */
interface Options {
  readonly queryKey: QueryKey
  readonly queryFn?: unknown
  readonly refetchInterval?: Interval | undefined
  readonly staleTime?: unknown
}

/** The data that a query of such options has in the cache. */
export type DataOf<O> = O extends { readonly initialPageParam: unknown } ? InfiniteData<Fetched<O>> : Fetched<O>

type Fetched<O> = O extends { readonly queryFn?: infer F }
  ? F extends (...args: never[]) => infer R
    ? Awaited<R>
    : never
  : unknown

/** What options carry: options with it are those of live queries. */
const liveness = Symbol('nave.live')

/** How often a live query is fetched while nothing comes, if its options do not say. */
const silentMs = 30_000

/**
 * The same options, for a query that is live: events go into its data, and it is
 * fetched at its `refetchInterval`, or every 30 s, only while none can come. It takes
 * `liveQueries` beside the client; without, as on a server, it is a query like others.
 */
export function liveQuery<Events extends object, O extends Options>(
  spoke: Spoke<Events>,
  options: O,
  effects: Effects<Events, DataOf<O>>,
): O {
  const { refetchInterval = silentMs, staleTime = Number.POSITIVE_INFINITY } = options
  return { ...options, staleTime, refetchInterval: whileSilent(spoke, refetchInterval), [liveness]: effects }
}

interface Held<Events extends object> {
  readonly keeper: Keeper<Events, unknown>
  effects: Effects<Events, unknown>
}

/**
 * Keeps the live queries of a client up to date, each for as long as it is in the
 * cache, and returns what ends that. For a page, not for a server.
 */
export function liveQueries<Events extends object>(client: QueryClient, spoke: Spoke<Events>): () => void {
  const cache = client.getQueryCache()
  const held = new Map<Query, Held<Events>>()

  const look = (query: Query) => {
    const effects = effectsOf<Events>(query.options)
    const before = held.get(query)
    if (effects === undefined || effects === before?.effects) return
    if (before && JSON.stringify(before.effects.filters) === JSON.stringify(effects.filters)) {
      before.effects = effects
      return
    }
    before?.keeper.end()
    const all = [query]
    const now: Held<Events> = {
      effects,
      keeper: new Keeper(client, spoke, { effects: () => held.get(query)?.effects ?? effects, queries: () => all }),
    }
    held.set(query, now)
  }

  const unwatch = cache.subscribe((event) => {
    if (event.type === 'removed') {
      held.get(event.query)?.keeper.end()
      held.delete(event.query)
      return
    }
    look(event.query)
    if (event.type === 'updated') held.get(event.query)?.keeper.updated(event.query, event.action)
  })
  for (const query of cache.getAll()) look(query)
  const unnudge = nudge(spoke, () => [...held.keys()])
  return () => {
    unwatch()
    unnudge()
    for (const { keeper } of held.values()) keeper.end()
    held.clear()
  }
}

/** Those of `liveQuery`: nothing else can have the symbol. */
function effectsOf<Events extends object>(options: object): Effects<Events, unknown> | undefined {
  return liveness in options ? (options[liveness] as Effects<Events, unknown>) : undefined
}
