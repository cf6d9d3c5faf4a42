// How old what is on the screen may be, which is not how old changes are: it grows
// while nothing changes, since who is not told cannot know that.
import type { EventMap, Spoke } from '@nave/spoke'
import type { QueryClient } from '@tanstack/react-query'
import { askedForEvents, heard, streams } from './costs.js'
import { keys } from './queries.js'

/** Who leads and has no stream asks more often, as long as somebody looks. */
const leadsMs = 60_000

/**
 * By how much what is shown may be behind, in milliseconds: since the server was last
 * heard, or since the longest ago that something was fetched. Undefined if this tab
 * cannot know: what it is told comes by another tab.
 */
export function behind(
  client: QueryClient,
  spoke: Pick<Spoke<EventMap>, 'state'> | undefined,
  now: number = Date.now(),
): number | undefined {
  const name = spoke?.state.name
  if (name === 'live' || name === 'polling') {
    const leads = name === 'live' ? streams.value > 0 : performance.now() - askedForEvents.value < leadsMs
    return leads ? performance.now() - heard.value : undefined
  }
  const fetched = [keys.board, keys.users, keys.conversations].map(
    (key) => client.getQueryState(key)?.dataUpdatedAt ?? 0,
  )
  const first = Math.min(...fetched)
  return first === 0 ? undefined : now - first
}
