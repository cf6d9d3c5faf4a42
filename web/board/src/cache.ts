// What an answer or an event makes of what is cached. All of it bears to be told the
// same twice, and what is older than what is known: the rev decides.
import type { EventOf } from '@nave/spoke'
import type { Board, Card, Column, Conversation, Events, Message, User } from './model.js'

type Entity = { readonly id: string; readonly rev: number }

/** The list with a newer one in the place of an older, or at the end. */
export function withNewer<E extends Entity>(list: readonly E[], entity: E): readonly E[] {
  const known = list.find(({ id }) => id === entity.id)
  if (known === undefined) return [...list, entity]
  return known.rev >= entity.rev ? list : list.map((each) => (each.id === entity.id ? entity : each))
}

/** A card that was deleted does not come back: no other has its id. */
export function withCard(board: Board, card: Card): Board {
  if (board.gone?.includes(card.id)) return board
  const cards = withNewer(board.cards, card)
  return cards === board.cards ? board : { ...board, cards }
}

export function withColumn(board: Board, column: Column): Board {
  const columns = withNewer(board.columns, column)
  return columns === board.columns ? board : { ...board, columns }
}

/** As many as are remembered of those that were deleted: no answer is that late. */
const mostGone = 200

export function withoutCard(board: Board, id: string): Board {
  const { columns, cards, gone = [] } = board
  const without = cards.some((card) => card.id === id)
    ? {
        ...board,
        columns: columns.map((column) =>
          column.cards.includes(id) ? { ...column, cards: column.cards.filter((each) => each !== id) } : column,
        ),
        cards: cards.filter((card) => card.id !== id),
      }
    : board
  return gone.includes(id) ? without : { ...without, gone: [...gone, id].slice(-mostGone) }
}

export function boardAfter(board: Board, event: EventOf<Events>): Board | undefined {
  switch (event.type) {
    case 'card.created':
    case 'card.updated':
    case 'card.moved':
      return event.data && withCard(board, event.data)
    case 'card.deleted':
      return event.key === undefined ? undefined : withoutCard(board, event.key)
    case 'column.changed':
      return event.data && withColumn(board, event.data)
    default:
      return board
  }
}

export function usersAfter(users: readonly User[], event: EventOf<Events>): readonly User[] | undefined {
  return event.type === 'user.updated' ? event.data && withNewer(users, event.data) : users
}

export function conversationsAfter(
  conversations: readonly Conversation[],
  event: EventOf<Events>,
): readonly Conversation[] | undefined {
  return event.type === 'conversation.changed' ? event.data && withNewer(conversations, event.data) : conversations
}

/** As many messages of a conversation as the API gives. */
const mostMessages = 100

export function withMessage(messages: readonly Message[], message: Message): readonly Message[] {
  if (messages.some(({ id }) => id === message.id)) return messages
  const sorted = [...messages, message].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return sorted.slice(-mostMessages)
}

export function messagesAfter(messages: readonly Message[], event: EventOf<Events>): readonly Message[] | undefined {
  return event.type === 'message.posted' ? event.data && withMessage(messages, event.data) : messages
}
