import type { Frame, Notice } from '../frames.js'
import type { Ask } from '../http.js'
import type { Spoke } from '../spoke.js'
import { type Page, parseCursor, type WireEvent } from '../wire.js'

/** Something that has come, as it is shown. */
export interface Entry {
  readonly serial: number
  /** Milliseconds of Date.now. */
  readonly at: number
  readonly type: string
  /** The topic, and the key if there is one. */
  readonly about: string
  readonly body: unknown
}

export interface Asked {
  readonly method: string
  /** With its parameters: what is secret goes by headers. */
  readonly path: string
  /** Milliseconds of Date.now. */
  readonly at: number
  /** The status, or why there is none; undefined while there is no answer. */
  outcome: string | undefined
  /** Until the answer began. */
  tookMs: number
}

const mostEntries = 50
const mostAsked = 20
const mostLatencies = 500

/** Ledger writes down what a spoke hears and asks, the latest of it. */
export class Ledger {
  readonly entries: Entry[] = []
  readonly asked: Asked[] = []
  /** How many events have come, and how many requests were made. */
  events = 0
  requests = 0
  /** The head of the hub's log, as the last heartbeat had it. */
  head: string | undefined
  /** When this tab's own stream was heard last, in milliseconds of Date.now; 0 if never. */
  heardAt = 0
  changed: () => void = () => {}
  readonly #spoke: Pick<Spoke<object>, 'cursor' | 'http' | 'listen'>
  readonly #end: () => void
  readonly #latencies: number[] = []
  /** The least that the way and the difference of the clocks have made together. */
  #least = Number.POSITIVE_INFINITY
  #connectedAt = Number.POSITIVE_INFINITY
  #serial = 0

  constructor(spoke: Pick<Spoke<object>, 'cursor' | 'http' | 'listen'>) {
    this.#spoke = spoke
    const unlisten = spoke.listen((said) => this.#hear(said))
    const { http } = spoke
    const { send } = http
    const wrapped = Object.hasOwn(http, 'send')
    const own = (url: string, ask: Ask) => this.#watch(send.call(http, url, ask), url, ask)
    http.send = own
    this.#end = () => {
      unlisten()
      if (http.send !== own) return // somebody else has put theirs around ours
      if (wrapped) http.send = send
      else Reflect.deleteProperty(http, 'send')
    }
  }

  close(): void {
    this.changed = () => {}
    this.#end()
  }

  /** By how many offsets what has been handed over is behind the head; undefined if that is not known. */
  get lag(): number | undefined {
    const head = parseCursor(this.head)
    const here = parseCursor(this.#spoke.cursor)
    return head === undefined || here?.epoch !== head.epoch ? undefined : Math.max(0, head.offset - here.offset)
  }

  /** The latency in milliseconds that a share of the latest events has not exceeded. */
  latency(share: number): number | undefined {
    const sorted = [...this.#latencies].sort((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  }

  clear(): void {
    this.entries.length = 0
    this.changed()
  }

  #hear(said: Frame | Notice): void {
    const at = Date.now()
    this.heardAt = at
    switch (said.kind) {
      case 'batch':
        for (const event of said.events) this.#event(event, at)
        return this.changed()
      case 'mark':
        return
      case 'verdict':
        this.#connectedAt = at
        return this.#note('hub.sync', said.sync, at)
      case 'heartbeat':
        this.head = said.cursor
        this.#least = Math.min(this.#least, at - Date.parse(said.time))
        return this.changed()
      default:
        return this.#note(`hub.${said.kind}`, said, at)
    }
  }

  #event(event: WireEvent, at: number): void {
    this.#write(event, at)
    if (event.time === undefined) return
    const took = at - Date.parse(event.time)
    if (event.type !== 'hub.presence') this.#least = Math.min(this.#least, took)
    // What is older than the connection was waited for by nobody.
    if (at - this.#connectedAt < took - this.#least) return
    keep(this.#latencies, took - this.#least, mostLatencies)
  }

  #write(event: WireEvent, at: number): void {
    this.events++
    this.#add({ at, type: event.type, about: [event.topic, event.key].join(' '), body: event })
  }

  #note(type: string, body: unknown, at: number): void {
    this.#add({ at, type, about: '', body })
    this.changed()
  }

  #add(entry: Omit<Entry, 'serial'>): void {
    keep(this.entries, { ...entry, serial: ++this.#serial }, mostEntries)
  }

  async #watch(sent: Promise<Response>, url: string, ask: Ask): Promise<Response> {
    const asked: Asked = {
      method: ask.method ?? 'GET',
      path: pathOf(url),
      at: Date.now(),
      outcome: undefined,
      tookMs: 0,
    }
    this.requests++
    keep(this.asked, asked, mostAsked)
    this.changed()
    try {
      const response = await sent
      asked.outcome = String(response.status)
      if (ask.accept === undefined && /\/v1\/events\?/.test(url) && response.ok) this.#read(response.clone())
      return response
    } catch (error) {
      asked.outcome = ask.signal?.aborted ? 'called off' : String(error)
      throw error
    } finally {
      asked.tookMs = Date.now() - asked.at
      this.changed()
    }
  }

  /** The events of a page. */
  #read(response: Response): void {
    response.json().then(
      (page: Partial<Page>) => {
        const at = Date.now()
        for (const event of page.events ?? []) this.#write(event, at)
        this.changed()
      },
      () => {}, // it broke off, which the spoke finds as well
    )
  }
}

function keep<T>(all: T[], one: T, most: number): void {
  all.push(one)
  if (all.length > most) all.shift()
}

function pathOf(url: string): string {
  return url.replace(/^.*?(?=\/v1\/)/, '')
}
