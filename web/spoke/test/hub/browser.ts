import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
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

export interface SiteOptions {
  /**
   * A browser as people have it: pages that are not looked at are hidden, and can be
   * frozen. Otherwise, as Playwright has it, all are visible.
   */
  readonly hides?: boolean
  readonly flags?: readonly string[]
  /** A hub that the site has on its own origin, so that pages and streams share its connections. */
  readonly hub?: { readonly port: number }
}

/** A browser, and the site whose pages it shows. */
export class Site {
  readonly #browser: Browser
  readonly #server: Server
  readonly #end: () => Promise<void>
  #context: BrowserContext

  private constructor(browser: Browser, server: Server, context: BrowserContext, end: () => Promise<void>) {
    this.#browser = browser
    this.#server = server
    this.#context = context
    this.#end = end
  }

  static async start(options: SiteOptions = {}): Promise<Site> {
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      const bundle = /^\/(page|example|react|parts|edits|board|query)\.js$/.exec(request.url ?? '')
      response.setHeader('Access-Control-Allow-Origin', '*') // also for frames that are no site's
      response.setHeader('Content-Type', bundle ? 'text/javascript' : 'text/html')
      response.end(bundle ? readFileSync(join(inject('bundles'), `${bundle[1]}.js`)) : html(request.url ?? ''))
    }
    const server = createServer((request, response) => {
      if (options.hub && request.url?.startsWith('/v1/')) passOn(request, response, options.hub.port)
      else serve(request, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const args = [...flags, ...(options.flags ?? [])]
    if (options.hides) {
      const { browser, context, end } = await hidingBrowser(args)
      return new Site(browser, server, context, end)
    }
    const browser = await chromium.launch({
      executablePath: inject('chromium'),
      args,
      ignoreDefaultArgs: ['--disable-back-forward-cache'], // pages that are left are kept, as for people
    })
    return new Site(browser, server, await browser.newContext(), () => browser.close())
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the site is not up')
    return `http://127.0.0.1:${address.port}`
  }

  /** Forgets all tabs and what they have stored. Not for a browser that hides pages. */
  async fresh(): Promise<void> {
    await this.#context.close()
    this.#context = await this.#browser.newContext()
  }

  async open(path = '/page', timeout = 30_000): Promise<Page> {
    const page = await this.#context.newPage()
    await page.goto(this.url + path, { timeout })
    await page.waitForFunction(() => 'seen' in globalThis)
    return page
  }

  async start(options: Options): Promise<Page> {
    const page = await this.open()
    await page.evaluate((o) => globalThis.start(o), options)
    return page
  }

  async stop(): Promise<void> {
    await this.#end()
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

function passOn(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = request
  const asking = ask({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders()
    answer.on('error', () => response.destroy()).pipe(response)
  })
  asking.on('error', () => response.destroy())
  response.on('close', () => asking.destroy())
  request.pipe(asking)
}

/** Playwright's own way to start a browser makes all pages visible, whatever they are. */
async function hidingBrowser(args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'nave-browser-'))
  const all = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}`, ...args, 'about:blank']
  const started = spawn(inject('chromium'), all, { stdio: ['ignore', 'ignore', 'pipe'] })
  const address = await new Promise<string>((resolve, reject) => {
    let said = ''
    started.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const at = /listening on (ws:\S+)/.exec(said)?.[1]
      if (at) resolve(at)
    })
    started.once('exit', () => reject(new Error(`the browser does not start: ${said}`)))
  })
  const browser = await chromium.connectOverCDP(address, { noDefaults: true })
  const context = browser.contexts()[0]
  if (context === undefined) throw new Error('the browser has no context')
  const end = async () => {
    const ended = once(started, 'exit')
    started.kill()
    await ended
    rmSync(folder, { recursive: true, maxRetries: 10 })
  }
  return { browser, context, end }
}

function html(url: string): string {
  const name = /^\/(example|react|parts|edits|board|query)/.exec(url)?.[1] ?? 'page'
  return `<!doctype html><title>spoke</title><body><script type="module" src="/${name}.js"></script>`
}

/** Opens a page, and has it looked at instead of the others; of a browser that hides pages. */
export async function look(site: Site): Promise<Page> {
  const page = await site.open()
  await page.bringToFront()
  return page
}

/** Freezes a page that is hidden, as browsers do, or thaws it. */
export async function lifecycle(page: Page, state: 'frozen' | 'active'): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Page.setWebLifecycleState', { state })
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
