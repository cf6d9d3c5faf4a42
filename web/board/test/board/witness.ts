import type { BrowserContext, Page } from 'playwright-core'

/** The cards' ids in each column, from left to right and from top to bottom. */
export type Layout = readonly (readonly [column: string, cards: readonly string[]])[]

/** What a tab showed in one frame. */
export interface Frame {
  /** Each load of the page is another document. */
  readonly document: string
  readonly layout: Layout
  readonly titles: Readonly<Record<string, string>>
}

declare global {
  /** Tells the test what a frame shows. */
  function frameSeen(frame: Frame): void
}

/** Witness sees every frame that each tab of a browser renders, if it shows something else than the one before. */
export class Witness {
  readonly #frames = new Map<Page, Frame[]>()

  static async of(machine: BrowserContext): Promise<Witness> {
    const witness = new Witness()
    await machine.exposeBinding('frameSeen', ({ page }, frame: Frame) => {
      const frames = witness.#frames.get(page) ?? []
      frames.push(frame)
      witness.#frames.set(page, frames)
    })
    await machine.addInitScript(watchFrames)
    return witness
  }

  frames(page: Page): readonly Frame[] {
    return this.#frames.get(page) ?? []
  }

  get all(): readonly (readonly Frame[])[] {
    return [...this.#frames.values()]
  }
}

/** Runs in the page, so it knows nothing of this file. */
function watchFrames() {
  const name = String(performance.timeOrigin)
  let last = ''
  let asked = false
  const look = () => {
    asked = false
    const columns = [...document.querySelectorAll<HTMLElement>('[data-column]')]
    if (columns.length === 0) return
    const titles: Record<string, string> = {}
    const layout = columns.map((column) => {
      const cards = [...column.querySelectorAll<HTMLElement>('[data-card]')]
      for (const card of cards) titles[card.dataset['card'] ?? ''] = card.querySelector('.title')?.textContent ?? ''
      return [column.dataset['column'] ?? '', cards.map((card) => card.dataset['card'] ?? '')] as const
    })
    const text = JSON.stringify([layout, titles])
    if (text === last) return
    last = text
    frameSeen({ document: name, layout, titles })
  }
  // What is there when a frame is asked for is what that frame shows.
  new MutationObserver(() => {
    if (asked) return
    asked = true
    requestAnimationFrame(look)
  }).observe(document, { childList: true, characterData: true, subtree: true })
}

/** What a layout shows twice, and what it does not show though it did before and does later. */
export function flaws(frames: readonly Frame[], mayGo: ReadonlySet<string>): string[] {
  const found: string[] = []
  const gone = new Set<string>()
  let before = new Set<string>()
  let document = ''
  for (const frame of frames) {
    const cards = frame.layout.flatMap(([, ids]) => ids)
    const shown = new Set(cards)
    if (frame.document !== document) {
      gone.clear()
      before = new Set()
      document = frame.document
    }
    for (const id of shown) {
      const columns = frame.layout.flatMap(([column, ids]) => ids.filter((each) => each === id).map(() => column))
      if (columns.length > 1) found.push(`${id} is in ${columns.join(' and ')}`)
      if (gone.has(id)) found.push(`${id} was in no column, and is back in ${columns[0]}`)
    }
    for (const id of before) if (!shown.has(id) && !mayGo.has(id)) gone.add(id)
    for (const id of shown) gone.delete(id)
    before = shown
  }
  return found
}

/** Whether frames show, in their order, nothing but what is among the states, in theirs: the first that is not. */
export function stranger(frames: readonly Frame[], states: readonly Layout[]): Layout | undefined {
  const texts = states.map((state) => JSON.stringify(state))
  let from = 0
  for (const { layout } of frames) {
    from = texts.indexOf(JSON.stringify(layout), from)
    if (from < 0) return layout
  }
  return undefined
}

/** Titles that came back after a later one: `history` has what each card was called, in its order. */
export function relapses(frames: readonly Frame[], history: (card: string) => readonly string[]): string[] {
  const found: string[] = []
  const latest = new Map<string, number>()
  for (const { titles } of frames) {
    for (const [id, title] of Object.entries(titles)) {
      const at = history(id).indexOf(title) // what somebody wrote and gave up is in no history
      if (at < 0) continue
      const last = latest.get(id) ?? 0
      if (at < last) found.push(`${id} was called “${history(id)[last]}”, and then “${title}” again`)
      latest.set(id, Math.max(at, last))
    }
  }
  return found
}
