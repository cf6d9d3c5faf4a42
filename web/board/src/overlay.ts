import { withoutCard } from './cache.js'
import type { Changes } from './merge.js'
import type { Board, Card, Fields, Message } from './model.js'
import { moved, type Place } from './order.js'

/** What somebody does, before the server has said yes. */
export type Write =
  | { readonly do: 'create'; readonly card: string; readonly column: string; readonly title: string }
  | {
      readonly do: 'edit'
      readonly card: string
      readonly changes: Changes
      /** What the changes were made to: while they were made, it followed what others did. */
      readonly base: Fields
      /**
       * The card's when they began: had it followed too, the server would not say what
       * others have done to the same fields.
       */
      readonly rev: number
      /** Where the card was. */
      readonly column?: string
    }
  | ({ readonly do: 'move'; readonly card: string } & Place)
  | { readonly do: 'delete'; readonly card: string; readonly rev: number; readonly title: string }
  | {
      readonly do: 'say'
      readonly conversation: string
      readonly id: string
      readonly text: string
      readonly at: string
    }
  | { readonly do: 'status'; readonly status: string }

/** What writes are about: those about the same are sent in their order. */
export function subjectOf(write: Write): string {
  switch (write.do) {
    case 'say':
      return `conversation ${write.conversation}`
    case 'status':
      return 'status'
    default:
      return `card ${write.card}`
  }
}

/** Whether it holds what somebody has written, and may want to keep. */
export function hasWords(write: Write): boolean {
  return write.do !== 'move' && write.do !== 'delete'
}

/** The board as it will be when all writes have got through. */
export function boardWith(board: Board, writes: readonly Write[], me: string): Board {
  return writes.reduce((before, write) => boardAfterWrite(before, write, me), board)
}

function boardAfterWrite(board: Board, write: Write, me: string): Board {
  switch (write.do) {
    case 'create': {
      const there = board.cards.some((card) => card.id === write.card)
      return there ? board : { ...board, cards: [...board.cards, newCard(write.card, write.column, write.title, me)] }
    }
    case 'edit':
      return {
        ...board,
        cards: board.cards.map((card) => (card.id === write.card ? { ...card, ...write.changes } : card)),
      }
    case 'move':
      return moved(board, write.card, write)
    case 'delete':
      return withoutCard(board, write.card)
    default:
      return board
  }
}

function newCard(id: string, column: string, title: string, me: string): Card {
  return { id, title, text: '', assignee: null, column, rev: 1, updatedBy: me, updatedAt: new Date().toISOString() }
}

/** A conversation's messages with those that are on their way. */
export function messagesWith(
  messages: readonly Message[],
  writes: readonly Write[],
  conversation: string,
  me: string,
): readonly Message[] {
  const waiting = writes.flatMap((write) =>
    write.do === 'say' && write.conversation === conversation && !messages.some(({ id }) => id === write.id)
      ? { id: write.id, conversation, author: me, text: write.text, at: write.at }
      : [],
  )
  return waiting.length === 0 ? messages : [...messages, ...waiting]
}
