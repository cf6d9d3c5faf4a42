import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface Audit {
  readonly columns: readonly { readonly id: string; readonly cards: readonly string[] }[]
  readonly cards: readonly {
    readonly id: string
    readonly title: string
    readonly text: string
    readonly rev: number
  }[]
  readonly messages: readonly { readonly text: string }[]
  readonly outbox: number
}

/** The real program with data of its own, and a browser: people come in, each with a context. */
export class Office {
  readonly url: string
  readonly #browser: Browser
  readonly #program: ChildProcess
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
    const page = join(import.meta.dirname, '../../dist')
    const program = spawn(inject('program'), ['-listen', '127.0.0.1:0', '-web', page, '-data', data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const url = await addressOf(program)
    return new Office(url, await chromium.launch({ executablePath: inject('chromium'), args: flags }), program, data)
  }

  /** What went wrong in any of the pages. */
  get errors(): readonly string[] {
    return this.#errors
  }

  /** Somebody opens the board and signs in. */
  async comesIn(name: string, mode: 'live' | 'polling' = 'live'): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 } })
    const page = await context.newPage()
    page.on('pageerror', (error) => this.#errors.push(`${name}: ${error.message}`))
    await page.goto(`${this.url}/?mode=${mode}`)
    await page.getByRole('button', { name, exact: true }).click()
    await column(page, 'To do').waitFor()
    if (mode === 'live') await page.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
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
