/** A card as a person saw it from some moment on. */
export interface Sight {
  readonly card: string
  readonly title: string
  readonly column: string
  /** When the frame was done, by the clock, in milliseconds. */
  readonly at: number
  /** The same, by the page's own time. */
  readonly tick: number
}

/** What a page has noted. */
export interface Notes {
  readonly sights: Sight[]
  /** When the space key was pressed, by the page's own time: it picks cards up and drops them. */
  readonly presses: number[]
}

declare global {
  var notes: Notes
}

/**
 * Runs in the page before its own script, and notes what the screen shows: after each
 * frame in which cards have changed, which, and when that frame was done. It knows
 * nothing of the page but where cards are.
 */
export function noteScreen(): void {
  const notes: Notes = { sights: [], presses: [] }
  globalThis.notes = notes
  const shown = new Map<string, string>()
  let waits = false

  const changed = () =>
    [...document.querySelectorAll<HTMLElement>('[data-card]')].flatMap((tile) => {
      const card = tile.dataset['card'] ?? ''
      const title = tile.querySelector('.title')?.textContent ?? ''
      const column = tile.closest<HTMLElement>('[data-column]')?.dataset['column'] ?? ''
      const now = `${column} ${title}`
      if (shown.get(card) === now) return []
      shown.set(card, now)
      return { card, title, column }
    })
  const frame = () => {
    waits = false
    const tiles = changed()
    if (tiles.length === 0) return
    // What is posted in a frame is heard when it has been painted.
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      const at = Date.now()
      const tick = performance.now()
      for (const tile of tiles) notes.sights.push({ ...tile, at, tick })
      port1.close()
    }
    port2.postMessage('')
  }
  new MutationObserver(() => {
    if (!waits) requestAnimationFrame(frame)
    waits = true
  }).observe(document, { subtree: true, childList: true, characterData: true })
  addEventListener('keydown', ({ key, timeStamp }) => key === ' ' && notes.presses.push(timeStamp), { capture: true })
}
