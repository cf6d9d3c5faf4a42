import type { EventOf } from '@nave/spoke'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { boardAfter, withCard, withMessage } from '../../src/cache.js'
import type { Board, Card, Events, Message } from '../../src/model.js'
import { boardWith, messagesWith, type Write } from '../../src/overlay.js'

function card(rev: number, changes: Partial<Card> = {}): Card {
  return {
    id: 'a',
    title: `as of ${rev}`,
    text: '',
    assignee: null,
    column: 'todo',
    rev,
    updatedBy: 'ben',
    updatedAt: '2026-01-01T00:00:00Z',
    ...changes,
  }
}

const start: Board = {
  columns: [
    { id: 'todo', title: 'To do', cards: ['a'], rev: 1 },
    { id: 'done', title: 'Done', cards: [], rev: 1 },
  ],
  cards: [card(1)],
}

const history: readonly EventOf<Events>[] = [
  { type: 'card.updated', topic: 'cards/main', key: 'a', data: card(2) },
  { type: 'card.moved', topic: 'cards/main', key: 'a', data: card(3, { column: 'done' }) },
  {
    type: 'column.changed',
    topic: 'cards/main',
    key: 'column:todo',
    data: { id: 'todo', title: 'To do', cards: [], rev: 2 },
  },
  {
    type: 'column.changed',
    topic: 'cards/main',
    key: 'column:done',
    data: { id: 'done', title: 'Done', cards: ['a'], rev: 2 },
  },
  { type: 'card.updated', topic: 'cards/main', key: 'a', data: card(4, { column: 'done' }) },
]

function after(board: Board, events: readonly EventOf<Events>[]): Board {
  return events.reduce((before, event) => boardAfter(before, event) ?? before, board)
}

test('events that come again, over whatever a fetch has brought, lead to the same board', () => {
  const latest = after(start, history)
  fc.assert(
    fc.property(fc.nat({ max: history.length }), fc.nat({ max: history.length }), (fetched, from) => {
      const board = after(start, history.slice(0, fetched))
      expect(after(board, history.slice(Math.min(from, fetched)))).toEqual(latest)
    }),
  )
})

test('what changes nothing is the same object, so that nothing is rendered', () => {
  const board = after(start, history)
  expect(after(board, history)).toBe(board)
})

test('a card that was deleted is gone from the board and its column', () => {
  const board = after(start, [{ type: 'card.deleted', topic: 'cards/main', key: 'a' }])
  expect(board.cards).toEqual([])
  expect(board.columns[0]?.cards).toEqual([])
})

test('a card that was deleted does not come back with an answer that was long on its way', () => {
  const board = after(start, [{ type: 'card.deleted', topic: 'cards/main', key: 'a' }])
  expect(withCard(board, card(2)).cards).toEqual([])
  expect(after(board, history).cards).toEqual([])
  expect(withCard(board, card(1, { id: 'b' })).cards).toMatchObject([{ id: 'b' }])
})

test('writes are shown over what the server has, and undo nothing of it', () => {
  const writes: readonly Write[] = [
    { do: 'create', card: 'b', column: 'todo', title: 'New' },
    { do: 'edit', card: 'a', rev: 1, base: card(1), changes: { title: 'Mine' } },
    { do: 'move', card: 'b', to: 'done', before: null },
  ]
  const shown = boardWith({ ...start, cards: [card(2, { text: 'Ben’s' })] }, writes, 'ada')
  expect(shown.cards).toMatchObject([
    { id: 'a', title: 'Mine', text: 'Ben’s' },
    { id: 'b', column: 'done', updatedBy: 'ada' },
  ])
  expect(shown.columns.map(({ cards }) => cards)).toEqual([['a'], ['b']])
})

test('a message is shown once, on its way and after', () => {
  const said: Message = { id: 'm', conversation: 'c', author: 'ada', text: 'Hello', at: '2026-01-01T00:00:00Z' }
  const write: Write = { do: 'say', conversation: 'c', id: 'm', text: 'Hello', at: said.at }
  expect(messagesWith([], [write], 'c', 'ada')).toEqual([said])
  expect(messagesWith(withMessage([], said), [write], 'c', 'ada')).toEqual([said])
  expect(messagesWith([], [write], 'other', 'ada')).toEqual([])
})
