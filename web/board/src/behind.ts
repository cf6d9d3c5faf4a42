// How old what is on the screen may be, which is not how old changes are: it grows
// while nothing changes, since who is not told cannot know that.
import type { EventMap, Spoke } from '@nave/spoke'
import type { QueryClient } from '@tanstack/react-query'
import { heard, streams } from './costs.js'
import { keys } from './queries.js'

/**
 * By how much what is shown may be behind, in milliseconds: since the stream was last
 * heard, or since the longest ago that something was fetched. Undefined if this tab
 * cannot know: it has no stream of its own, but another tab's.
 */
export function behind(
  client: QueryClient,
  spoke: Pick<Spoke<EventMap>, 'state'> | undefined,
  now: number = Date.now(),
): number | undefined {
  const name = spoke?.state.name
  if (name === 'live' || name === 'polling') return streams.value > 0 ? performance.now() - heard.value : undefined
  const fetched = [keys.board, keys.users, keys.conversations].map(
    (key) => client.getQueryState(key)?.dataUpdatedAt ?? 0,
  )
  const first = Math.min(...fetched)
  return first === 0 ? undefined : now - first
}
