import type { Board, Card, Column } from './model.js'

/** A column with its cards, as it is shown. */
export interface Lane {
  readonly column: Column
  readonly cards: readonly Card[]
}

/** Where a card is to be: in a column, before a card or, if null, at the end. */
export interface Place {
  readonly to: string
  readonly before: string | null
}

/**
 * The columns with their cards. The card decides in which it is, so that it is in one,
 * whether the card or the columns came first; the column's order decides where. A card
 * that this order does not name is at the end.
 */
export function lanes({ columns, cards }: Board): readonly Lane[] {
  return columns.map((column) => {
    const places = new Map(column.cards.map((id, place) => [id, place]))
    const place = ({ id }: Card) => places.get(id) ?? places.size
    return {
      column,
      cards: cards.filter((card) => card.column === column.id).sort((a, b) => place(a) - place(b)),
    }
  })
}

/** The board after a move. A card that is not there is not moved. */
export function moved(board: Board, id: string, { to, before }: Place): Board {
  if (!board.cards.some((card) => card.id === id) || !board.columns.some((column) => column.id === to)) return board
  return {
    ...board,
    columns: board.columns.map((column) => {
      if (column.id !== to && !column.cards.includes(id)) return column
      const cards = column.cards.filter((other) => other !== id)
      if (column.id === to) {
        const at = before === null ? -1 : cards.indexOf(before)
        cards.splice(at < 0 ? cards.length : at, 0, id)
      }
      return { ...column, cards }
    }),
    cards: board.cards.map((card) => (card.id === id ? { ...card, column: to } : card)),
  }
}

/** Where a card is now. */
export function placeOf(board: Board, id: string): Place | undefined {
  for (const { column, cards } of lanes(board)) {
    const at = cards.findIndex((card) => card.id === id)
    if (at >= 0) return { to: column.id, before: cards[at + 1]?.id ?? null }
  }
  return undefined
}

/** The place one step further in a direction, for the keyboard; undefined at the edge. */
export function step(
  board: Board,
  id: string,
  { to, before }: Place,
  towards: 'up' | 'down' | 'left' | 'right',
): Place | undefined {
  const all = lanes(board)
  const column = all.findIndex((lane) => lane.column.id === to)
  const others = (at: number) => all[at]?.cards.filter((card) => card.id !== id) ?? []
  const here = others(column)
  const index = before === null ? here.length : here.findIndex((card) => card.id === before)
  if (towards === 'up' || towards === 'down') {
    const next = index + (towards === 'up' ? -1 : 1)
    return next < 0 || next > here.length ? undefined : { to, before: here[next]?.id ?? null }
  }
  const beside = column + (towards === 'left' ? -1 : 1)
  const lane = all[beside]
  return lane && { to: lane.column.id, before: others(beside)[index]?.id ?? null }
}
