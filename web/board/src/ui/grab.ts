import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from 'react'
import type { Board, Card } from '../model.js'
import { lanes, type Place, placeOf, step } from '../order.js'

const arrows = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' } as const
type Arrow = keyof typeof arrows

function isArrow(key: string): key is Arrow {
  return key in arrows
}

/** What these do they do once, however long they are held down. */
const once = [' ', 'Enter', 'Delete']

/** A card that the keyboard moves, and where it would be dropped. */
export interface Grabbed {
  readonly card: string
  readonly place: Place
}

export interface GrabOptions {
  readonly board: Board
  readonly columns: RefObject<HTMLElement | null>
  readonly drop: (card: string, place: Place) => void
  /** Deletes a card, and calls back if that is undone. */
  readonly remove: (card: Card, undone: () => void) => void
}

/**
 * Moves cards by keyboard: space picks one up, arrows move it, space drops it, Escape
 * lets go. What happens is said to those who do not see it. Arrows alone move the focus.
 */
export function useGrab({ board, columns, drop, remove }: GrabOptions) {
  const [grabbed, setGrabbed] = useState<Grabbed>()
  const [said, say] = useState('')
  const focusNext = useRef<string>(undefined)

  // A card that goes to another column is another element there.
  useEffect(() => {
    const id = focusNext.current
    if (id === undefined) return
    focusNext.current = undefined
    columns.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`)?.focus()
  })

  const letGo = (words: string) => {
    setGrabbed(undefined)
    say(words)
  }

  const isGone = grabbed !== undefined && !board.cards.some(({ id }) => id === grabbed.card)
  useEffect(() => {
    if (!isGone) return
    setGrabbed(undefined)
    say('The card that was picked up is deleted')
  }, [isGone])

  /** Deletes a card. The focus goes to one beside it, or to where one is added, and comes back with it. */
  const removeFrom = (card: Card) => {
    const lane = lanes(board).find(({ cards }) => cards.some(({ id }) => id === card.id))
    const at = lane?.cards.findIndex(({ id }) => id === card.id) ?? 0
    focusNext.current = (lane?.cards[at + 1] ?? lane?.cards[at - 1])?.id
    if (lane && focusNext.current === undefined)
      columns.current?.querySelector<HTMLElement>(`[data-column="${CSS.escape(lane.column.id)}"] .add`)?.focus()
    remove(card, () => {
      focusNext.current = card.id
    })
  }

  /** What a key does to a card that is at rest; false if nothing. */
  const pressed = (key: string, card: Card): boolean => {
    const place = placeOf(board, card.id)
    if (key === ' ' && place) {
      setGrabbed({ card: card.id, place })
      say(`${card.title} is picked up, in ${inWords(board, place)}. Arrows move it, space drops it, Escape lets go.`)
    } else if (isArrow(key)) focusBeside(columns.current, card.id, key)
    else if (key === 'Delete') removeFrom(card)
    else return false
    return true
  }

  /** What a key does to the card that is picked up. */
  const pressedFor = (key: string, { card, place }: Grabbed, title: string): boolean => {
    if (isArrow(key)) {
      const next = step(board, card, place, arrows[key])
      if (next) setGrabbed({ card, place: next })
      say(next ? inWords(board, next) : 'There is no more room on that side')
    } else if (key === ' ' || key === 'Enter') {
      focusNext.current = card
      drop(card, place)
      letGo(`${title} is in ${inWords(board, place)}`)
    } else if (key === 'Escape') letGo(`${title} stays where it was`)
    else return false
    return true
  }

  return {
    grabbed,
    said,
    onKeyDown(event: KeyboardEvent, card: Card) {
      if (event.repeat && once.includes(event.key)) return event.preventDefault()
      const isDone = grabbed?.card === card.id ? pressedFor(event.key, grabbed, card.title) : pressed(event.key, card)
      if (isDone) event.preventDefault()
    },
    remove: removeFrom,
    onBlur: () => grabbed && letGo(''),
    /** Gives a card the focus with the next render. */
    focus(card: string) {
      focusNext.current = card
    },
  }
}

function inWords(board: Board, { to, before }: Place): string {
  const column = board.columns.find(({ id }) => id === to)?.title ?? to
  const next = board.cards.find(({ id }) => id === before)?.title
  return next === undefined ? `${column}, at the end` : `${column}, before ${next}`
}

function focusBeside(columns: HTMLElement | null, id: string, key: Arrow): void {
  const all = [...(columns?.querySelectorAll<HTMLElement>('[data-column]') ?? [])].map((column) => [
    ...column.querySelectorAll<HTMLElement>('[data-card]'),
  ])
  const column = all.findIndex((tiles) => tiles.some((tile) => tile.dataset['card'] === id))
  const at = all[column]?.findIndex((tile) => tile.dataset['card'] === id) ?? -1
  if (key === 'ArrowUp') all[column]?.[at - 1]?.focus()
  else if (key === 'ArrowDown') all[column]?.[at + 1]?.focus()
  else {
    const beside = all[column + (key === 'ArrowLeft' ? -1 : 1)]
    beside?.[Math.min(at, beside.length - 1)]?.focus()
  }
}
