// What is fetched, and how often: the same queries in both modes.

import type { EventMap, Spoke } from '@nave/spoke'
import { whileSilent } from '@nave/spoke/query'
import { keepPreviousData, type QueryClient, queryOptions } from '@tanstack/react-query'
import { api, Refused } from './api.js'
import type { Board, Conversation, Message, TroubleState, User } from './model.js'

type Source = Pick<Spoke<EventMap>, 'state'> | undefined

export const everyMs = { board: 30_000, users: 300_000, conversations: 10_000 } as const

export const keys = {
  me: ['me'],
  board: ['board'],
  users: ['users'],
  conversations: ['conversations'],
  messages: ['messages'],
  trouble: ['trouble'],
  analytics: ['analytics'],
} as const

export const me = queryOptions({
  queryKey: keys.me,
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: ({ signal }) => api<User | null>('GET', 'me', undefined, signal),
})

/** Which trouble lasts, whoever has made it. */
export const trouble = (level: string | undefined) =>
  queryOptions({
    queryKey: [...keys.trouble, level], // which says that somebody has turned the switch
    queryFn: ({ signal }) => api<TroubleState>('GET', 'trouble', undefined, signal),
    placeholderData: keepPreviousData,
  })

/** How often each button was pressed, by name. It is asked for when somebody looks. */
export const analytics = queryOptions({
  queryKey: keys.analytics,
  queryFn: ({ signal }) => api<Readonly<Record<string, number>>>('GET', 'analytics', undefined, signal),
  staleTime: 0,
  refetchOnWindowFocus: false,
})

/** What has not come is asked for until it has: live, no interval would. */
function retry(_failures: number, error: Error): boolean {
  return !(error instanceof Refused) || error.passing
}

/** Whether the server answers, as far as is known: a refusal is an answer, unless a proxy may have given it. */
export function isAnswered(client: QueryClient): boolean {
  return [keys.board, keys.users, keys.conversations].every((key) => {
    const state = client.getQueryState(key)
    const why = state?.fetchFailureReason
    return state?.fetchStatus !== 'paused' && (!why || (why instanceof Refused && why.status < 500))
  })
}

/** Going live is this: an interval that is needed only while the spoke is silent. */
function fresh(spoke: Source, ms: number) {
  return spoke
    ? { retry, staleTime: Number.POSITIVE_INFINITY, refetchInterval: whileSilent(spoke, ms) }
    : { retry, staleTime: 0, refetchInterval: ms }
}

export const board = (spoke: Source) =>
  queryOptions({
    queryKey: keys.board,
    queryFn: async ({ signal, client }): Promise<Board> => {
      const board = await api<Board>('GET', 'boards/main', undefined, signal)
      const gone = client.getQueryData<Board>(keys.board)?.gone
      return gone ? { ...board, gone } : board
    },
    ...fresh(spoke, everyMs.board),
  })

export const users = (spoke: Source) =>
  queryOptions({
    queryKey: keys.users,
    queryFn: ({ signal }) => api<readonly User[]>('GET', 'users', undefined, signal),
    ...fresh(spoke, everyMs.users),
  })

export const conversations = (spoke: Source) =>
  queryOptions({
    queryKey: keys.conversations,
    queryFn: ({ signal }) => api<readonly Conversation[]>('GET', 'conversations', undefined, signal),
    ...fresh(spoke, everyMs.conversations),
  })

/** Whoever polls asks for messages only when the list of conversations tells of a new one. */
export const messages = (spoke: Source, conversation: string) =>
  queryOptions({
    queryKey: [...keys.messages, conversation],
    queryFn: ({ signal }) =>
      api<readonly Message[]>('GET', `conversations/${encodeURIComponent(conversation)}/messages`, undefined, signal),
    ...(spoke ? fresh(spoke, everyMs.conversations) : { retry, staleTime: 0 }),
  })
