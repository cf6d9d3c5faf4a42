import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Conversation } from './model.js'
import * as queries from './queries.js'
import { Store, useStore } from './store.js'
import { useWorkplace } from './workplace.js'

/** The last message of each conversation that was looked at, or was there when the page was opened. */
const read: Store<ReadonlyMap<string, string | undefined>> = new Store(new Map())

/** The conversations in which there is something new. */
export function useUnread(): ReadonlySet<string> {
  const { me, spoke } = useWorkplace()
  const { data = [] } = useQuery(queries.conversations(spoke))
  const known = useStore(read)
  useEffect(() => {
    const first = data.filter(({ id }) => !known.has(id))
    if (first.length > 0) read.set(new Map([...known, ...first.map(markOf)]))
  }, [data, known])
  return unreadOf(data, known, me.id)
}

/** Those whose last message is another than the one that was read, and by somebody else. Exported for its tests. */
export function unreadOf(
  conversations: readonly Conversation[],
  known: ReadonlyMap<string, string | undefined>,
  me: string,
): ReadonlySet<string> {
  const unread = conversations.filter(
    ({ id, lastMessage }) => known.has(id) && lastMessage?.id !== known.get(id) && lastMessage?.author !== me,
  )
  return new Set(unread.map(({ id }) => id))
}

/** Somebody looks at a conversation. */
export function useReading(conversation: Conversation | undefined): void {
  useEffect(() => {
    if (conversation && read.value.get(conversation.id) !== conversation.lastMessage?.id)
      read.set(new Map([...read.value, markOf(conversation)]))
  }, [conversation])
}

function markOf({ id, lastMessage }: Conversation): [string, string | undefined] {
  return [id, lastMessage?.id]
}
