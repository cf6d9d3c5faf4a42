import type { Browser, Page } from 'playwright-core'
import type { Mode } from '../src/model.js'
import { Link } from './link.js'
import { type Notes, noteScreen, type Sight } from './screen.js'

/** A request as the page made it. */
export interface Asked {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** By performance.now of this process. */
  readonly at: number
}

const handMs = 15_000

/** A real tab of the real page in a browser of its own (a context), behind a wire that counts. */
export class Tab {
  readonly page: Page
  readonly link: Link
  readonly asked: Asked[] = []
  /** Somebody is at it: now and then the mouse is moved. */
  readonly #hand: NodeJS.Timeout
  #moves = 0

  private constructor(page: Page, link: Link) {
    this.page = page
    this.link = link
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url())
      if (pathname === '/' && search === '?clock') return // asked when a page begins, and by no mode
      this.asked.push({ method: request.method(), path: pathname + search, at: performance.now() })
    })
    this.#hand = setInterval(() => void page.mouse.move(5, 300 + (this.#moves++ % 2)).catch(() => {}), handMs)
  }

  static async open(browser: Browser, url: string, name: string, mode: Mode): Promise<Tab> {
    const link = await Link.to(url)
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    await context.addInitScript(noteScreen)
    const tab = new Tab(await context.newPage(), link)
    const { page } = tab
    await page.goto(`${link.url}/?mode=${mode}`)
    await page.getByRole('button', { name, exact: true }).click()
    await page.locator('[data-card]').first().waitFor()
    if (mode === 'live') await page.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
    return tab
  }

  notes(): Promise<Notes> {
    return this.page.evaluate(() => globalThis.notes)
  }

  /**
   * Moves a card to and fro by keyboard, as often as said, and returns how long each
   * time passed from the key that drops it to the frame that shows it there.
   */
  async moveByKey(card: string, times: number): Promise<number[]> {
    const tile = this.page.locator(`[data-card="${card}"]`)
    const before = await this.notes()
    const aside = await this.page.evaluate((c) => {
      const column = document.querySelector(`[data-card="${c}"]`)?.closest('[data-column]')
      return column?.nextElementSibling ? 'ArrowRight' : 'ArrowLeft'
    }, card)
    const back = aside === 'ArrowRight' ? 'ArrowLeft' : 'ArrowRight'
    for (let i = 0; i < times; i++) {
      await tile.focus()
      for (const key of ['Space', i % 2 === 0 ? aside : back, 'Space']) await this.page.keyboard.press(key)
      await this.page.waitForTimeout(100)
    }
    const { sights, presses } = await this.notes()
    const moved = sights.slice(before.sights.length).filter((sight) => sight.card === card)
    const drops = presses.slice(before.presses.length).filter((_, i) => i % 2 === 1)
    return moved.flatMap((sight) => sinceLast(drops, sight))
  }

  async close(): Promise<void> {
    clearInterval(this.#hand)
    await this.page.context().close()
    this.link.close()
  }
}

function sinceLast(drops: readonly number[], { tick }: Sight): number[] {
  const drop = drops.findLast((at) => at <= tick)
  return drop === undefined ? [] : [tick - drop]
}
