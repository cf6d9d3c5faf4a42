import { createSpoke, type Spoke } from '@nave/spoke'
import { bindQueries } from '@nave/spoke/query'
import { shareTabs } from '@nave/spoke/tabs'
import type { QueryClient } from '@tanstack/react-query'
import type { Ask } from './api.js'
import { boardAfter, conversationsAfter, messagesAfter, usersAfter } from './cache.js'
import type { Board, Conversation, Events, Message, User } from './model.js'
import { pageFetch } from './network.js'
import { keys } from './queries.js'

/** What being live takes, for as long as it lasts. */
export interface Live {
  readonly spoke: Spoke<Events>
  close(): void
}

export function goLive(client: QueryClient, ask: Ask, user: string): Live {
  const spoke = createSpoke<Events>({
    url: location.origin,
    fetch: pageFetch,
    token: async () => (await ask<{ token: string }>('GET', 'token')).token,
    tabs: shareTabs({ identity: user }),
  })
  const ends = [
    bindQueries<Events, Board>(client, spoke, { filters: 'cards/main', queryKey: keys.board, apply: boardAfter }),
    bindQueries<Events, readonly User[]>(client, spoke, {
      filters: 'users/all',
      queryKey: keys.users,
      apply: usersAfter,
    }),
    bindQueries<Events, readonly Conversation[]>(client, spoke, {
      filters: 'conversations/all',
      queryKey: keys.conversations,
      apply: conversationsAfter,
    }),
    bindQueries<Events, readonly Message[]>(client, spoke, {
      filters: 'conversations/*',
      queryKey: keys.messages,
      keyOf: ({ topic }) => [...keys.messages, topic.slice('conversations/'.length)],
      apply: messagesAfter,
    }),
  ]
  return {
    spoke,
    close() {
      for (const end of ends) end()
      spoke.close()
    },
  }
}
