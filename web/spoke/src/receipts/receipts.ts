import type { Frame, Notice } from '../frames.js'
import { beacon } from '../leaving.js'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'
import type { WireEvent } from '../wire.js'
import { Clock } from './clock.js'

export interface ReceiptOptions {
  /** How long receipts wait for others at most. Defaults to 5 s. */
  readonly everyMs?: number
  /**
   * When an event counts as rendered: once the next frame has been drawn, which is the
   * default, or when the application says so.
   */
  readonly rendered?: 'frame' | 'told'
}

export interface Receipts {
  /** The event can be seen now. May be called of any event; of what no receipt is wanted, nothing happens. */
  rendered(event: Pick<WireEvent, 'offset'>): void
  /** Sends what waits, and ends it. */
  close(): void
}

interface Receipt {
  readonly offset: number
  readonly received: number
  rendered?: number
}

/** Of a report. */
const most = 100
/** Clocks that have moved apart by so much were set, or have stood still. */
const jumpMs = 50

/** By a clock that does not jump when that of the machine is set. */
function timeOf(performanceNow: number): number {
  return performance.timeOrigin + performanceNow
}

/**
 * Tells the hub when events have been received and rendered, of as many as it asks for:
 * so it knows how long they take to the people. Only what came while somebody looked
 * counts, by a stream that was not interrupted just before; in doubt nothing is said
 * until the next heartbeat. Of tabs that share a connection the one that has it tells.
 */
export function sendReceipts(
  spoke: Pick<Spoke<EventMap>, 'http' | 'state' | 'listen'>,
  options: ReceiptOptions = {},
): Receipts {
  if (typeof document === 'undefined') throw new Error('sendReceipts: there is no page here; call it in the browser')
  return new Sender(spoke, options)
}

class Sender implements Receipts {
  readonly #spoke: Parameters<typeof sendReceipts>[0]
  readonly #everyMs: number
  readonly #told: boolean
  readonly #clock = new Clock()
  readonly #closed = new AbortController()
  readonly #unlisten: () => void
  #waiting: Receipt[] = []
  #connection: string | undefined
  /** Whether what comes has come without delay. */
  #prompt = false
  #apart = Number.NaN
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(spoke: Parameters<typeof sendReceipts>[0], options: ReceiptOptions) {
    this.#spoke = spoke
    this.#everyMs = options.everyMs ?? 5_000
    this.#told = options.rendered === 'told'
    this.#unlisten = spoke.listen((said, at) => this.#heard(said, at))
    const { signal } = this.#closed
    document.addEventListener(
      'visibilitychange',
      () => {
        this.#prompt = false // what was held back comes first
      },
      { signal },
    )
    addEventListener('pagehide', () => this.#send(true, true), { signal })
  }

  rendered({ offset }: Pick<WireEvent, 'offset'>): void {
    const receipt = this.#waiting.find((one) => one.offset === offset)
    if (receipt) receipt.rendered ??= timeOf(performance.now())
  }

  close(): void {
    this.#send(true)
    this.#unlisten()
    this.#closed.abort()
  }

  #heard(said: Frame | Notice, at: number): void {
    this.#compareClocks()
    const { state } = this.#spoke
    switch (said.kind) {
      case 'verdict':
        this.#send(true) // of the connection before
        this.#connection = said.sync.connection ?? this.#connection
        this.#prompt = said.sync.status !== 'recovered'
        return
      case 'mark':
        this.#connection ??= state.name === 'live' ? state.connection : undefined
        this.#prompt = true
        return
      case 'heartbeat':
        return this.#clock.beat(Date.parse(said.time), timeOf(at))
      case 'batch':
        if (this.#prompt && document.visibilityState === 'visible') this.#take(said.events, timeOf(at))
    }
  }

  #take(events: readonly WireEvent[], received: number): void {
    const every = this.#spoke.state.memory.receipts
    if (every === 0) return
    const wanted: Receipt[] = []
    for (const { offset } of events) if (offset && offset % every === 0) wanted.push({ offset, received })
    if (wanted.length === 0) return
    this.#waiting.push(...wanted)
    if (!this.#told) afterFrame(() => drawn(wanted))
    if (this.#waiting.length >= most) this.#send(false)
    else this.#arm()
  }

  /** A clock that was set, or has stood still, may have been so between what it is asked for. */
  #compareClocks(): void {
    const apart = Date.now() - timeOf(performance.now())
    if (Math.abs(apart - this.#apart) > jumpMs) {
      this.#waiting = []
      this.#prompt = false
      this.#clock.forget()
    }
    this.#apart = apart
  }

  /** Sends what waits. What is not rendered yet waits once more, unless all has to go. */
  #send(all: boolean, leaving = false): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#compareClocks()
    if (this.#spoke.state.memory.level !== 'normal') this.#waiting = []
    const since = timeOf(performance.now()) - this.#everyMs
    const isReady = ({ rendered, received }: Receipt) => all || rendered !== undefined || received <= since
    const ready = this.#waiting.filter(isReady)
    this.#waiting = this.#waiting.filter((receipt) => !isReady(receipt))
    for (let i = 0; i < ready.length; i += most) this.#post(ready.slice(i, i + most), leaving)
    if (this.#waiting.length > 0) this.#arm()
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#send(false), this.#everyMs)
  }

  #post(receipts: readonly Receipt[], leaving: boolean): void {
    const { http } = this.#spoke
    const asked = performance.now()
    const sent = timeOf(asked)
    const body = JSON.stringify({ connection: this.#connection, sent, ...this.#clock.estimate(sent), receipts })
    if (leaving && beacon(http, 'receipts', body)) return
    http
      .send(http.url('receipts'), { method: 'POST', body, keepalive: true })
      .then(() => {
        const now = performance.now()
        this.#clock.trip(now - asked, timeOf(now))
      })
      .catch(() => {}) // when it can be said again it is of no use any more
  }
}

function drawn(receipts: readonly Receipt[]): void {
  const rendered = timeOf(performance.now())
  for (const receipt of receipts) receipt.rendered = rendered
}

/** Calls when what has changed by now has been drawn. */
function afterFrame(f: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      f()
    }
    port2.postMessage(undefined)
  })
}
