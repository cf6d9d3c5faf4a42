import type { Query } from '@tanstack/query-core'
import type { Spoke } from '../spoke.js'

/** What is asked of a spoke here, whatever its events are. */
export type Watched = Pick<Spoke<object>, 'state' | 'watch'>

/** Whether events come, neither by stream nor by pages. */
function isSilent({ state: { name } }: Pick<Watched, 'state'>): boolean {
  return name !== 'live' && name !== 'polling'
}

/**
 * A `refetchInterval` for queries that are bound: none while events come, by stream
 * or by pages, and the given one, in milliseconds, while neither does, and after a
 * fetch that has failed.
 */
export function whileSilent(
  spoke: Pick<Watched, 'state'>,
  ms: number,
): (query?: { readonly state: { readonly status: string } }) => number | false {
  return (query) => (isSilent(spoke) || query?.state.status === 'error') && ms
}

/** Has observers look at their interval when silence begins and ends: by themselves they do not. */
export function nudge(spoke: Watched, queries: () => readonly Query[]): () => void {
  let silent = isSilent(spoke)
  return spoke.watch(() => {
    if (isSilent(spoke) === silent) return
    silent = !silent
    for (const query of queries()) for (const observer of query.observers) observer.setOptions(observer.options)
  })
}
