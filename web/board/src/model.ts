// What the board's API and its events speak of.
import type { SessionEvents } from '@nave/spoke/session'

export interface Card {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly assignee: string | null
  readonly column: string
  readonly rev: number
  readonly updatedBy: string
  readonly updatedAt: string
}

export interface Column {
  readonly id: string
  readonly title: string
  /** The cards' ids, in their order. */
  readonly cards: readonly string[]
  readonly rev: number
}

export interface Board {
  readonly columns: readonly Column[]
  readonly cards: readonly Card[]
  /** Cards that were deleted, of which something may still come late. The page's own. */
  readonly gone?: readonly string[]
}

export interface User {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly rev: number
}

export interface Conversation {
  readonly id: string
  readonly title: string
  readonly lastMessage: Message | null
  readonly rev: number
}

export interface Message {
  readonly id: string
  readonly conversation: string
  readonly author: string
  readonly text: string
  readonly at: string
}

/** What people edit of a card. */
export type Fields = Pick<Card, 'title' | 'text' | 'assignee'>

/** What somebody did, as the bridge from conversations has it. */
export interface Activity {
  readonly user: string
  readonly what: string
}

/** The trouble that lasts: the switch, and by how many milliseconds this browser is slower. */
export interface TroubleState {
  readonly sse: 'on' | 'off'
  readonly slow: number
}

/** The data of each type of event, as the board publishes them. */
export interface Events extends SessionEvents {
  'card.created': Card
  'card.updated': Card
  'card.moved': Card
  'card.deleted': Card
  'column.changed': Column
  'user.updated': User
  'message.posted': Message
  'conversation.changed': Conversation
  'session.activity': Activity
  'button.clicked': { readonly button: string }
}

/** How the page hears of changes. */
export type Mode = 'polling' | 'live'
