import type { QueryClient } from '@tanstack/react-query'
import type { Ages } from './ages.js'
import type { Board, Message } from './model.js'
import { keys } from './queries.js'

interface Change {
  readonly id: string
  readonly rev: number
  readonly by: string
  readonly at: string
}

/**
 * Tells of each change that somebody else has made how old it was when it came onto
 * this screen: the server's time of the change to the server's time of now. It is the
 * same in both modes, since it looks at the cache and not at how things came there.
 * What was there when the page was loaded is no change, and what comes to a hidden
 * page is seen by nobody.
 */
export function watchAges(
  client: QueryClient,
  me: string,
  now: () => number,
  ages: () => Ages | undefined,
): () => void {
  const known = new Map<string, ReadonlyMap<string, number>>()

  const latest = (queryKey: readonly unknown[]): readonly Change[] | undefined => {
    if (queryKey[0] === keys.board[0]) {
      const cards = client.getQueryData<Board>(queryKey)?.cards
      return cards?.map(({ id, rev, updatedBy, updatedAt }) => ({ id, rev, by: updatedBy, at: updatedAt }))
    }
    if (queryKey[0] === keys.messages[0]) {
      const messages = client.getQueryData<readonly Message[]>(queryKey)
      return messages?.map(({ id, author, at }) => ({ id, rev: 1, by: author, at }))
    }
    return undefined
  }

  return client.getQueryCache().subscribe(({ type, query }) => {
    if (type === 'removed') known.delete(query.queryHash)
    if (type !== 'updated' || query.state.status !== 'success') return
    const changes = latest(query.queryKey)
    if (changes === undefined) return
    const before = known.get(query.queryHash)
    known.set(query.queryHash, new Map(changes.map(({ id, rev }) => [id, rev])))
    if (before === undefined || document.hidden) return
    for (const { id, rev, by, at } of changes) {
      if (by !== me && (before.get(id) ?? 0) < rev) ages()?.add(now() - Date.parse(at))
    }
  })
}
