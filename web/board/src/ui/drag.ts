import { type PointerEvent, useEffect, useRef, useState } from 'react'
import type { Place } from '../order.js'

/** A card on its way: where it would be dropped, and where the pointer is. */
export interface Drag {
  readonly card: string
  readonly place: Place | undefined
  readonly x: number
  readonly y: number
  readonly width: number
}

/** How far a mouse goes, and how long a finger stays, before that is a drag. */
const slackPx = 5
const holdMs = 300
const edgePx = 48
const scrollPx = 14

/**
 * Drags cards by pointer events: a mouse by moving, a finger by staying first, so that
 * it can scroll as well. Escape ends it and nothing is moved.
 */
export function useDrag(drop: (card: string, place: Place) => void) {
  const [drag, setDrag] = useState<Drag>()
  const end = useRef<() => void>(() => {})
  // The board may be another when it ends than when it began.
  const dropNow = useRef(drop)
  dropNow.current = drop
  /** The click that follows a drag opens nothing. */
  const dragged = useRef(false)
  useEffect(() => () => end.current(), [])

  const grab = (event: PointerEvent<HTMLElement>, card: string) => {
    if (event.button !== 0 || !event.isPrimary) return
    end.current()
    const tile = event.currentTarget
    const { left, top, width } = tile.getBoundingClientRect()
    const start = { x: event.clientX, y: event.clientY }
    const touch = event.pointerType !== 'mouse'
    const listening = new AbortController()
    const { signal } = listening
    let current: Drag | undefined
    dragged.current = false

    const at = (x: number, y: number) => {
      current = { card, place: placeAt(x, y, card), x: x - start.x + left, y: y - start.y + top, width }
      setDrag(current)
    }
    const begin = () => {
      dragged.current = true
      at(start.x, start.y)
    }
    const hold = touch ? setTimeout(begin, holdMs) : undefined
    end.current = () => {
      clearTimeout(hold)
      listening.abort()
      setDrag(undefined)
      setTimeout(() => {
        dragged.current = false
      })
    }
    const on = <K extends keyof WindowEventMap>(name: K, f: (event: WindowEventMap[K]) => void) =>
      window.addEventListener(name, f, { signal, passive: false })

    on('pointermove', ({ clientX, clientY }) => {
      const far = Math.hypot(clientX - start.x, clientY - start.y) > slackPx
      if (!current && far && touch) return end.current()
      if (!current && far) begin()
      if (!current) return
      at(clientX, clientY)
      scrollAtEdge(tile, clientX)
    })
    on('pointerup', () => {
      const { place } = current ?? {}
      end.current()
      if (place) dropNow.current(card, place)
    })
    on('pointercancel', () => end.current())
    on('keydown', (pressed) => {
      if (pressed.key !== 'Escape' || !current) return
      pressed.preventDefault()
      end.current()
    })
    // A finger that drags does not scroll, nor open a menu.
    on('touchmove', (touched) => current && touched.preventDefault())
    on('contextmenu', (asked) => current && asked.preventDefault())
  }

  return { drag, grab, hasDragged: () => dragged.current }
}

function placeAt(x: number, y: number, dragging: string): Place | undefined {
  const column = document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-column]')
  const to = column?.dataset['column']
  if (!column || to === undefined) return undefined
  for (const tile of column.querySelectorAll<HTMLElement>('[data-card]')) {
    const id = tile.dataset['card']
    const { top, height } = tile.getBoundingClientRect()
    if (id !== undefined && id !== dragging && y < top + height / 2) return { to, before: id }
  }
  return { to, before: null }
}

function scrollAtEdge(tile: HTMLElement, x: number): void {
  const columns = tile.closest('.columns')
  if (!columns) return
  const { left, right } = columns.getBoundingClientRect()
  if (x < left + edgePx) columns.scrollBy(-scrollPx, 0)
  if (x > right - edgePx) columns.scrollBy(scrollPx, 0)
}
