import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

export interface HubOptions {
  /** Demand tokens; else everybody on this machine may do everything. */
  readonly tokens?: boolean
  readonly env?: Record<string, string>
}

interface Event {
  topic: string
  type: string
  key?: string
  data?: unknown
  ifVersion?: number
}

interface Client {
  id: string
  subject?: string
  transport: string
  filters: string[]
}

/** A hub of our own: the real program, with a log of its own. */
export class Hub {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'nave-hub-'))
  readonly #options: HubOptions
  #process: ChildProcess | undefined
  #admin: string | undefined

  private constructor(port: number, options: HubOptions) {
    this.port = port
    this.#options = options
  }

  static async start(options: HubOptions = {}): Promise<Hub> {
    const hub = new Hub(await freePort(), options)
    if (options.tokens) {
      hub.#run('key', join(hub.#folder, 'key'))
      hub.#admin = hub.token({ subject: 'ops', publish: '**', subscribe: '**', admin: '**', ttl: '1h' })
    }
    await hub.up()
    return hub
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Starts the process, also again after down. */
  async up(): Promise<void> {
    const key = this.#options.tokens ? ['--key', join(this.#folder, 'key')] : []
    const listen = ['--listen', `127.0.0.1:${this.port}`, '--data', join(this.#folder, 'data')]
    const started = spawn(inject('hub'), [this.#options.tokens ? 'serve' : 'dev', ...listen, ...key], {
      env: { ...process.env, ...this.#options.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    started.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000)
    })
    this.#process = started
    for (let i = 0; i < 200; i++) {
      const ready = await fetch(`${this.url}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
      if (ready) return
      if (started.exitCode !== null) break
      await sleep(50)
    }
    throw new Error(`the hub does not come up: ${said}`)
  }

  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process = this.#process
    this.#process = undefined
    if (process === undefined || process.exitCode !== null) return
    process.kill(signal)
    await once(process, 'exit')
  }

  /** Comes back without its log. */
  async lose(): Promise<void> {
    await this.down('SIGKILL')
    rmSync(join(this.#folder, 'data'), { recursive: true })
    await this.up()
  }

  async stop(): Promise<void> {
    await this.down('SIGKILL')
    rmSync(this.#folder, { recursive: true })
  }

  token(grant: { subject: string; publish?: string; subscribe?: string; admin?: string; ttl: string }): string {
    const { subject, ttl, ...filters } = grant
    const flags = Object.entries(filters).flatMap(([name, filter]) => [`--${name}`, filter])
    return this.#run('token', '--key', join(this.#folder, 'key'), '--subject', subject, '--ttl', ttl, ...flags).trim()
  }

  async publish(events: Event | Event[]): Promise<{ cursor: string; events: { offset: number }[] }> {
    return this.call('POST', '/v1/events', events)
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/json',
        ...(this.#admin && { Authorization: `Bearer ${this.#admin}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text ? JSON.parse(text) : undefined) as T
  }

  async clients(): Promise<Client[]> {
    return (await this.call<{ clients: Client[] }>('GET', '/v1/admin/clients')).clients
  }

  #run(...args: string[]): string {
    return execFileSync(inject('hub'), args, { encoding: 'utf8' })
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until something is as it should be, and fails if it does not come about. */
export async function eventually<T>(look: () => T | Promise<T>, holds: (value: T) => boolean, ms = 15_000): Promise<T> {
  const until = Date.now() + ms
  for (;;) {
    const value = await look()
    if (holds(value)) return value
    if (Date.now() > until) throw new Error(`not within ${ms} ms; at last: ${JSON.stringify(value)}`)
    await sleep(25)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
