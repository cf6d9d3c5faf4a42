import type { Query } from '@tanstack/query-core'
import type { Spoke } from '../spoke.js'

/** What is asked of a spoke here, whatever its events are. */
export type Watched = Pick<Spoke<object>, 'state' | 'watch'>

/** Whether events come, neither by stream nor by pages. */
function isSilent({ state: { name } }: Pick<Watched, 'state'>): boolean {
  return name !== 'live' && name !== 'polling'
}

/** What is asked of a query here, whatever its data is. */
interface Asked {
  readonly state: { readonly status: string; readonly data?: unknown }
}

/** How often a query is fetched, as TanStack Query has it. A method, for that one may ask for a query of certain data. */
export type Interval = number | false | { of(query: Asked): number | false | undefined }['of']

/** Queries whose events are refused: as good as silence for these. */
export const refused: Set<() => readonly Query[]> = new Set()

/**
 * A `refetchInterval` for queries that are bound: none while events come, by stream
 * or by pages, and the given one, in milliseconds, while neither does, or those of the
 * query are refused, and after a fetch that has failed.
 */
export function whileSilent(spoke: Pick<Watched, 'state'>, interval: Interval): (query?: Asked) => number | false {
  return (query) => {
    const isRefused = [...refused].some((queries) => queries().some((one) => one === query))
    if (!isRefused && !isSilent(spoke) && query?.state.status !== 'error') return false
    return (typeof interval === 'function' ? query && interval(query) : interval) ?? false
  }
}

/** Has the observers of queries look at their interval: by themselves they do not. */
export function look(queries: readonly Query[]): void {
  for (const query of queries) for (const observer of query.observers) observer.setOptions(observer.options)
}

/** Has them look when silence begins and ends. */
export function nudge(spoke: Watched, queries: () => readonly Query[]): () => void {
  let silent = isSilent(spoke)
  return spoke.watch(() => {
    if (isSilent(spoke) === silent) return
    silent = !silent
    look(queries())
  })
}
