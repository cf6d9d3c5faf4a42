import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
]

/**
 * A window with tabs, as people have it: one of them is seen, and the others are hidden
 * and may be frozen. A browser that Playwright starts itself shows all of them.
 */
export class Window {
  readonly #process: ChildProcess
  readonly #browser: Browser
  readonly #folder: string

  private constructor(process: ChildProcess, browser: Browser, folder: string) {
    this.#process = process
    this.#browser = browser
    this.#folder = folder
  }

  static async open(): Promise<Window> {
    const folder = mkdtempSync(join(tmpdir(), 'nave-window-'))
    const started = spawn(inject('chromium'), [...flags, `--user-data-dir=${folder}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const address = await new Promise<string>((resolve, reject) => {
      let said = ''
      started.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const found = /listening on (ws:\S+)/.exec(said)?.[1]
        if (found) resolve(found)
      })
      started.once('exit', () => reject(new Error(`the browser does not come up: ${said}`)))
    })
    return new Window(started, await chromium.connectOverCDP(address, { noDefaults: true }), folder)
  }

  /** Opens a tab, which is seen until another is. */
  async tab(url: string): Promise<Page> {
    const page = await this.#browser.contexts()[0]?.newPage()
    if (page === undefined) throw new Error('the browser has no window')
    await page.goto(url)
    await page.waitForFunction(() => 'seen' in globalThis)
    await page.bringToFront()
    return page
  }

  async close(): Promise<void> {
    await this.#browser.close()
    this.#process.kill()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Freezes a page, as a browser does with hidden ones, or thaws it. */
export async function lifecycle(page: Page, state: 'frozen' | 'active'): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Page.setWebLifecycleState', { state })
  await cdp.detach()
}
