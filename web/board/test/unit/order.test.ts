import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Board, Card } from '../../src/model.js'
import { lanes, moved, type Place, placeOf, step } from '../../src/order.js'

function card(id: string, column: string): Card {
  return {
    id,
    title: id,
    text: '',
    assignee: null,
    column,
    rev: 1,
    updatedBy: 'ada',
    updatedAt: '2026-01-01T00:00:00Z',
  }
}

function boardOf(order: Readonly<Record<string, readonly string[]>>): Board {
  return {
    columns: Object.entries(order).map(([id, cards]) => ({ id, title: id, cards, rev: 1 })),
    cards: Object.entries(order).flatMap(([column, cards]) => cards.map((id) => card(id, column))),
  }
}

function shown(board: Board): Record<string, string[]> {
  return Object.fromEntries(lanes(board).map(({ column, cards }) => [column.id, cards.map(({ id }) => id)]))
}

const board = boardOf({ todo: ['a', 'b', 'c'], doing: ['d'], done: [] })

test('a card that no order names is at the end of its column', () => {
  const early = { ...board, cards: [...board.cards, card('e', 'doing')] }
  expect(shown(early)).toEqual({ todo: ['a', 'b', 'c'], doing: ['d', 'e'], done: [] })
})

test('a card that two orders name, or another’s, is in the column that it says', () => {
  const one = boardOf({ todo: ['a', 'b'], doing: ['c'], done: [] })
  const ahead = one.columns.map((column) => (column.id === 'doing' ? { ...column, cards: ['a', 'c'] } : column))
  expect(shown({ ...one, columns: ahead })).toEqual({ todo: ['a', 'b'], doing: ['c'], done: [] })
  const behind = one.cards.map((each) => (each.id === 'a' ? card('a', 'doing') : each))
  expect(shown({ ...one, cards: behind })).toEqual({ todo: ['b'], doing: ['c', 'a'], done: [] })
})

test('a card that is named and not there is left out', () => {
  expect(shown({ ...board, cards: board.cards.filter(({ id }) => id !== 'b') })).toEqual({
    todo: ['a', 'c'],
    doing: ['d'],
    done: [],
  })
})

test('moves are before a card, or at the end', () => {
  expect(shown(moved(board, 'a', { to: 'doing', before: 'd' }))).toEqual({
    todo: ['b', 'c'],
    doing: ['a', 'd'],
    done: [],
  })
  expect(shown(moved(board, 'a', { to: 'todo', before: null }))).toEqual({
    todo: ['b', 'c', 'a'],
    doing: ['d'],
    done: [],
  })
})

test('before a card that has gone elsewhere is at the end', () => {
  expect(shown(moved(board, 'a', { to: 'doing', before: 'c' }))).toEqual({
    todo: ['b', 'c'],
    doing: ['d', 'a'],
    done: [],
  })
})

test('arrows go through all places, and not past the edge', () => {
  const from: Place = { to: 'todo', before: 'b' }
  expect(placeOf(board, 'a')).toEqual(from)
  expect(step(board, 'a', from, 'up')).toBeUndefined()
  expect(step(board, 'a', from, 'left')).toBeUndefined()
  expect(step(board, 'a', from, 'down')).toEqual({ to: 'todo', before: 'c' })
  expect(step(board, 'a', { to: 'todo', before: null }, 'down')).toBeUndefined()
  expect(step(board, 'a', from, 'right')).toEqual({ to: 'doing', before: 'd' })
  expect(step(board, 'a', { to: 'doing', before: null }, 'right')).toEqual({ to: 'done', before: null })
})

test('whatever is moved, each card is in one place, and there where it was put', () => {
  const ids = ['a', 'b', 'c', 'd']
  const move = fc.record({
    id: fc.constantFrom(...ids),
    to: fc.constantFrom('todo', 'doing', 'done'),
    before: fc.constantFrom(null, ...ids),
  })
  fc.assert(
    fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
      let after = board
      for (const { id, to, before } of moves) {
        after = moved(after, id, { to, before })
        const order = shown(after)
        expect(Object.values(order).flat().sort()).toEqual(ids)
        const at = order[to]?.indexOf(id) ?? -1
        expect(at).toBeGreaterThanOrEqual(0)
        if (before !== null && before !== id && order[to]?.includes(before)) expect(order[to]?.[at + 1]).toBe(before)
      }
    }),
  )
})
