import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect, inject } from 'vitest'
import type { Board, Conversation, Message, User } from '../../src/model.js'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** What the database holds, and how many changes of it the hub does not have yet. */
export interface Audit extends Board {
  readonly users: readonly User[]
  readonly conversations: readonly Conversation[]
  readonly messages: readonly Message[]
  readonly outbox: number
}

/** The real program with data of its own, and a browser: people come in, each with a context. */
export class Office {
  readonly url: string
  readonly #browser: Browser
  #program: ChildProcess
  readonly #data: string
  readonly #errors: string[] = []

  private constructor(url: string, browser: Browser, program: ChildProcess, data: string) {
    this.url = url
    this.#browser = browser
    this.#program = program
    this.#data = data
  }

  static async open(): Promise<Office> {
    const data = mkdtempSync(join(tmpdir(), 'nave-board-data-'))
    const program = start('127.0.0.1:0', data)
    const url = await addressOf(program)
    return new Office(url, await chromium.launch({ executablePath: inject('chromium'), args: flags }), program, data)
  }

  /** Kills the program, as a power cut would. */
  async crash(): Promise<void> {
    this.#program.kill('SIGKILL')
    await once(this.#program, 'exit')
  }

  /** Starts the program again, at the same address. */
  async restart(): Promise<void> {
    this.#program = start(new URL(this.url).host, this.#data)
    await addressOf(this.#program)
  }

  /** What went wrong in any of the pages. */
  get errors(): readonly string[] {
    return this.#errors
  }

  /** Kills the hub within the program, for longer than the button of the page does. */
  async killHub(seconds: number): Promise<void> {
    const response = await fetch(`${this.url}/api/trouble/hub`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ seconds }),
    })
    if (!response.ok) throw new Error(`the hub is not killed: ${response.status} ${await response.text()}`)
  }

  /** A machine of somebody's own: its tabs share what a browser's tabs share. */
  machine(): Promise<BrowserContext> {
    return this.#browser.newContext({ viewport: { width: 1280, height: 800 } })
  }

  /** Somebody opens the board and signs in. */
  async comesIn(name: string, mode: 'live' | 'polling' = 'live', machine?: BrowserContext): Promise<Page> {
    const page = await this.#window(machine ?? (await this.machine()))
    page.on('pageerror', (error) => this.#errors.push(`${name}: ${error.message}`))
    await page.goto(`${this.url}/?mode=${mode}`)
    const me = page.getByRole('button', { name, exact: true })
    await me.or(column(page, 'To do')).waitFor()
    if (await me.isVisible()) await me.click()
    await column(page, 'To do').waitFor()
    if (mode === 'live') await page.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
    return page
  }

  /** Opens a window of its own: of a window's tabs Chromium draws the one in front, and only there can one click. */
  async #window(machine: BrowserContext): Promise<Page> {
    const [open] = machine.pages()
    if (!open) return machine.newPage()
    const [ofPage, ofBrowser] = await Promise.all([machine.newCDPSession(open), this.#browser.newBrowserCDPSession()])
    const { targetInfo } = await ofPage.send('Target.getTargetInfo')
    const { browserContextId } = targetInfo
    if (!browserContextId) throw new Error('the browser does not say which context a page is of')
    const page = machine.waitForEvent('page')
    await ofBrowser.send('Target.createTarget', { url: 'about:blank', browserContextId, newWindow: true })
    await Promise.all([ofPage.detach(), ofBrowser.detach()])
    return page
  }

  async audit(): Promise<Audit> {
    const response = await fetch(`${this.url}/api/audit`)
    if (!response.ok) throw new Error(`the audit answers ${response.status}`)
    return response.json() as Promise<Audit>
  }

  async close(): Promise<void> {
    await this.#browser.close()
    this.#program.kill('SIGTERM')
    if (this.#program.exitCode === null) await once(this.#program, 'exit')
    rmSync(this.#data, { recursive: true })
  }
}

function start(listen: string, data: string): ChildProcess {
  const page = join(import.meta.dirname, '../../dist')
  return spawn(inject('program'), ['-listen', listen, '-web', page, '-data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function addressOf(program: ChildProcess): Promise<string> {
  let said = ''
  for await (const chunk of program.stdout ?? []) {
    said += String(chunk)
    const found = /The board is at (\S+?),/.exec(said)?.[1]
    if (found) {
      program.stdout?.resume() // what else it says is nobody's business, but must not fill the pipe
      return found
    }
  }
  throw new Error(`the board does not come up: ${said}`)
}

export function column(page: Page, title: string) {
  return page.getByRole('region', { name: title, exact: false })
}

export function card(page: Page, title: string) {
  return page.getByRole('button', { name: new RegExp(`^${title}`) })
}

/** Waits until what is looked at is as it should be; if it does not come about, the difference is told. */
export async function agrees<T>(look: () => Promise<T>, expected: T, ms = 20_000): Promise<void> {
  const until = Date.now() + ms
  let seen = await look()
  while (!isDeepStrictEqual(seen, expected) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    seen = await look()
  }
  expect(seen).toEqual(expected)
}
