import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'
import type { Options, Record } from './page.js'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser, and the site whose pages it shows. */
export class Site {
  readonly #browser: Browser
  readonly #server: Server
  #context: BrowserContext

  private constructor(browser: Browser, server: Server, context: BrowserContext) {
    this.#browser = browser
    this.#server = server
    this.#context = context
  }

  static async start(): Promise<Site> {
    const server = createServer((request, response) => {
      const bundle = /^\/(page|example|react|parts|edits|query)\.js$/.exec(request.url ?? '')
      response.setHeader('Content-Type', bundle ? 'text/javascript' : 'text/html')
      response.end(bundle ? readFileSync(join(inject('bundles'), `${bundle[1]}.js`)) : html(request.url ?? ''))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: flags,
      ignoreDefaultArgs: ['--disable-back-forward-cache'], // pages that are left are kept, as for people
    })
    return new Site(browser, server, await browser.newContext())
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the site is not up')
    return `http://127.0.0.1:${address.port}`
  }

  /** Forgets all tabs and what they have stored. */
  async fresh(): Promise<void> {
    await this.#context.close()
    this.#context = await this.#browser.newContext()
  }

  async open(path = '/page'): Promise<Page> {
    const page = await this.#context.newPage()
    await page.goto(this.url + path)
    await page.waitForFunction(() => 'seen' in globalThis)
    return page
  }

  async start(options: Options): Promise<Page> {
    const page = await this.open()
    await page.evaluate((o) => globalThis.start(o), options)
    return page
  }

  async stop(): Promise<void> {
    await this.#browser.close()
    this.#server.close()
  }
}

function html(url: string): string {
  const name = /^\/(example|react|parts|edits|query)/.exec(url)?.[1] ?? 'page'
  return `<!doctype html><title>spoke</title><body><script type="module" src="/${name}.js"></script>`
}

export function seen(page: Page): Promise<Record> {
  return page.evaluate(() => globalThis.seen)
}

export function state(page: Page): Promise<string> {
  return page.evaluate(() => globalThis.spoke.state.name)
}

/** Waits for the spoke to be in a state. */
export async function until(page: Page, name: string, timeout = 20_000): Promise<void> {
  await page.waitForFunction((n) => globalThis.spoke?.state.name === n, name, { timeout, polling: 20 })
}

/** Waits until so many events have come, and says their data. */
export async function events(page: Page, count: number, timeout = 20_000): Promise<unknown[]> {
  await page.waitForFunction((n) => globalThis.seen.batches.flat().length >= n, count, { timeout, polling: 20 })
  return (await seen(page)).batches.flat().map(({ data }) => data)
}
