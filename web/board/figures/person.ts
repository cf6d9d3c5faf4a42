// People without a browser: they ask the board for exactly what the page asks it for.

import type { Board, Mode } from '../src/model.js'
import { Client } from './client.js'
import type { Arrival } from './delays.js'
import { type Frame, Frames } from './frames.js'

export interface Person {
  readonly client: Client
  /** Which cards came. */
  readonly arrivals: Arrival[]
  /** How many events have come by the stream. */
  readonly events: number
  close(): void
}

export interface Wanted {
  readonly url: string
  readonly user: string
  readonly mode: Mode
  /** The path and query of the stream that a real tab follows; in live mode. */
  readonly stream: string
  readonly session: string
}

export async function comeIn(wanted: Wanted): Promise<Person> {
  const client = await Client.signIn(wanted.url, wanted.user)
  return wanted.mode === 'polling' ? new Polling(client, wanted) : Live.open(client, wanted)
}

/** Looks at documents as the page does, and knows which cards in them are new. */
class Documents {
  readonly arrivals: Arrival[] = []
  readonly #client: Client
  readonly #known = new Map<string, number>()

  constructor(client: Client) {
    this.#client = client
  }

  async board(): Promise<void> {
    const { cards }: Board = JSON.parse(await this.#client.get('/api/boards/main'))
    const at = Date.now()
    for (const { id: card, rev } of cards) {
      if (this.#known.get(card) === rev) continue
      this.#known.set(card, rev)
      this.arrivals.push({ card, rev, at })
    }
  }

  async users(): Promise<void> {
    await this.#client.get('/api/users')
  }

  async conversations(): Promise<void> {
    await this.#client.get('/api/conversations')
  }

  async all(): Promise<void> {
    await Promise.all([this.board(), this.users(), this.conversations()])
  }
}

class Polling implements Person {
  readonly client: Client
  readonly events = 0
  readonly #documents: Documents
  readonly #timers: NodeJS.Timeout[]

  constructor(client: Client, { session }: Wanted) {
    this.client = client
    const documents = new Documents(client)
    this.#documents = documents
    const beat = async () => {
      await client.call('POST', '/api/sessions/heartbeat', { session, state: 'active' })
    }
    void quietly(beat)
    void quietly(() => documents.all())
    const every = (ms: number, f: () => Promise<void>) => setInterval(() => void quietly(f), ms)
    this.#timers = [
      every(30_000, beat),
      every(30_000, () => documents.board()),
      every(300_000, () => documents.users()),
      every(10_000, () => documents.conversations()),
    ]
  }

  get arrivals(): Arrival[] {
    return this.#documents.arrivals
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.client.close()
  }
}

/** How often a live page says that its session lives. */
const heartbeatMs = 300_000

class Live implements Person {
  readonly client: Client
  readonly arrivals: Arrival[] = []
  events = 0
  readonly #wanted: Wanted
  #token = ''
  #timer: NodeJS.Timeout | undefined

  private constructor(client: Client, wanted: Wanted) {
    this.client = client
    this.#wanted = wanted
  }

  static async open(client: Client, wanted: Wanted): Promise<Live> {
    const live = new Live(client, wanted)
    const documents = new Documents(client)
    await documents.all()
    await live.#follow()
    await documents.all() // what happened between
    await live.#say('started')
    live.#timer = setInterval(() => void quietly(() => live.#say('heartbeat')), heartbeatMs)
    return live
  }

  close(): void {
    clearInterval(this.#timer)
    this.client.close()
  }

  async #follow(): Promise<void> {
    const { stream } = this.#wanted
    await this.#renew()
    const response = await this.client.open('GET', stream, undefined, {
      ...this.#authorization,
      Accept: 'text/event-stream',
    })
    if (response.statusCode !== 200) throw new Error(`GET ${stream}: ${response.statusCode}`)
    const frames = new Frames((frame) => this.#take(frame))
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => frames.push(chunk))
    response.on('error', () => {}) // it is closed
  }

  #take({ type, key, rev, data }: Frame): void {
    if (type === 'hub.auth') void quietly(() => this.#renewFor(data))
    if (type.startsWith('hub.')) return
    this.events++
    if (type.startsWith('card.')) this.arrivals.push({ card: key, rev, at: Date.now() })
  }

  async #renew(): Promise<void> {
    const { token }: { token: string } = JSON.parse((await this.client.call('GET', '/api/token')).text)
    this.#token = token
  }

  /** The token of the stream is about to expire. */
  async #renewFor(data: string): Promise<void> {
    const { status, connection }: { status: string; connection: string } = JSON.parse(data)
    if (status !== 'expiring') return
    await this.#renew()
    await this.client.call('POST', '/v1/token', { connection }, this.#authorization)
  }

  async #say(what: string): Promise<void> {
    const { user, session: key } = this.#wanted
    const data = { state: 'active', began: new Date().toISOString(), identity: user }
    const event = { topic: `sessions/${user}`, type: `session.${what}`, key, data }
    await this.client.call('POST', '/v1/events', [event], this.#authorization)
  }

  get #authorization() {
    return { Authorization: `Bearer ${this.#token}` }
  }
}

/** What fails is asked for again the next time, as by the page. */
async function quietly(f: () => Promise<void>): Promise<void> {
  try {
    await f()
  } catch {
    // The next time is soon.
  }
}
