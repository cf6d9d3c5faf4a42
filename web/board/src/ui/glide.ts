import { type RefObject, useLayoutEffect, useRef } from 'react'

const glideMs = 180

interface Spot {
  readonly x: number
  readonly y: number
}

/**
 * Lets cards glide to where they are now, so that the eye can follow what somebody else
 * has moved; not while one travels, which makes room for it, nor the one that a pointer
 * has just put down.
 */
export function useGlide(
  columns: RefObject<HTMLElement | null>,
  isTravelling: boolean,
  held: string | undefined,
): void {
  const spots = useRef<ReadonlyMap<string, Spot>>(new Map())
  const wasHeld = useRef<string>(undefined)
  useLayoutEffect(() => {
    const isCalm = isTravelling || matchMedia('(prefers-reduced-motion: reduce)').matches
    const now = new Map<string, Spot>()
    for (const slot of columns.current?.querySelectorAll<HTMLElement>('[data-slot]') ?? []) {
      const id = slot.dataset['slot'] ?? ''
      if (slot.offsetParent === null) continue // another panel is in the board's place
      // By layout, to which neither scrolling nor an earlier glide matters.
      const at = { x: slot.offsetLeft, y: slot.offsetTop }
      const was = spots.current.get(id)
      now.set(id, at)
      if (isCalm || id === wasHeld.current || was === undefined || (was.x === at.x && was.y === at.y)) continue
      const from = `translate(${was.x - at.x}px, ${was.y - at.y}px)`
      slot.animate([{ transform: from }, { transform: 'none' }], { duration: glideMs, easing: 'ease-out' })
    }
    spots.current = now
    wasHeld.current = held
  })
}
