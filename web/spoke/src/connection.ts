import { Examiner } from './examiner.js'
import type { Feed, FeedSink } from './feed.js'
import { seenOn } from './filter.js'
import { Assembler, batchesOf, type Frame, type Message, type Notice } from './frames.js'
import type { Http } from './http.js'
import type { Effect, Happening, State, Timer } from './machine/state.js'
import { initial } from './machine/state.js'
import { transition } from './machine/transition.js'
import { watchSurroundings } from './surroundings.js'
import { askPage } from './transports/page.js'
import type { StreamTransport, Wish } from './transports/transport.js'
import { earlier, isBefore, type Page, parseCursor, type Sync } from './wire.js'

/** How often the watchdog of a hidden page wakes the browser at most; who looks at the page looks at the clock. */
const hiddenMs = 60_000

export interface ConnectionOptions {
  readonly http: Http
  readonly transports: readonly StreamTransport[]
  readonly types: readonly string[]
  readonly disabled?: boolean | undefined
}

/**
 * Connection carries out what the machine decides: it holds the stream, the page
 * that is asked for, the timers and the cursor, and nothing else decides.
 */
export class Connection implements Feed {
  readonly #options: ConnectionOptions
  readonly #sink: FeedSink
  readonly #examiner: Examiner
  readonly #timers = new Map<Timer, ReturnType<typeof setTimeout>>()
  readonly #unwatch: () => void
  #state: State
  /** What is wanted, and what stream and page were asked for at least. */
  #filters: readonly string[] = []
  #asked: readonly string[] = []
  /** Up to here everything has been handed over. */
  #cursor: string | undefined
  #closeStream: (() => void) | undefined
  #unask: (() => void) | undefined
  #heardAt = 0
  #cameAt = 0
  #patienceMs = 0
  #queue: Happening[] = []
  #busy = false

  constructor(options: ConnectionOptions, sink: FeedSink) {
    this.#options = options
    this.#sink = sink
    this.#state = initial(options.transports.length, options.http.tokens.anonymous)
    this.#examiner = new Examiner(options.http)
    this.#unwatch = watchSurroundings((what) => this.#see(what))
    if (options.disabled) this.#happen({ type: 'disable' })
  }

  get state(): State {
    return this.#state
  }

  get cursor(): string | undefined {
    return this.#cursor
  }

  want(filters: readonly string[], cursor: string | undefined): void {
    const asked = new Set(this.#asked)
    const more = filters.some((filter) => !asked.has(filter))
    // Who does not want to be seen any more is not to be seen.
    const hides = this.#asked.some((filter) => filter.startsWith(seenOn) && !filters.includes(filter))
    // Who begins after nobody has followed anything begins now.
    const here = filters.length === 0 ? undefined : this.#cursor
    const from = cursor === undefined ? here : earlier(here, cursor)
    const back = from !== this.#cursor
    this.#filters = filters // who wants less gets more until the next request, and leaves it out
    this.#cursor = from
    if (filters.length > 0 !== this.#state.memory.wanted) this.#happen({ type: 'want', wanted: filters.length > 0 })
    else if (more || back || hides) this.#happen({ type: 'grown' })
    else if (this.#state.name === 'live' || this.#state.name === 'polling') this.#sink.covers(filters)
  }

  retry(): void {
    this.#happen({ type: 'kick' })
  }

  disable(): void {
    this.#happen({ type: 'disable' })
  }

  enable(): void {
    this.#happen({ type: 'enable' })
  }

  close(): void {
    this.#happen({ type: 'close' })
    this.#unwatch()
  }

  /** Timers of a hidden page, or of a machine that slept, are late. */
  #see(what: Happening): void {
    this.#happen(what)
    const silent = this.#timers.has('watchdog') && this.#silentMs > this.#patienceMs
    if (what.type === 'visible' && silent) this.#happen({ type: 'timer', timer: 'watchdog' })
  }

  /** What happens while something is carried out waits for its turn. */
  #happen(happening: Happening): void {
    this.#queue.push(happening)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next)
    } finally {
      this.#busy = false
    }
  }

  #step(happening: Happening): void {
    const before = this.#state
    const [state, effects] = transition(before, { ...happening, now: Date.now(), luck: Math.random() })
    this.#state = state
    for (const effect of effects) this.#carryOut(effect)
    if (state !== before) this.#sink.state(state)
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'open':
        return this.#open(effect.rung)
      case 'hangUp':
        this.#closeStream?.()
        this.#closeStream = undefined
        return
      case 'ask':
        return this.#ask(effect.wait)
      case 'unask':
        this.#unask?.()
        this.#unask = undefined
        return
      case 'examine':
        return this.#examine()
      case 'arm':
        return this.#arm(effect.timer, effect.ms)
      case 'disarm':
        return this.#disarm(effect.timer)
      case 'stop':
        this.#carryOut({ do: 'hangUp' })
        this.#carryOut({ do: 'unask' })
        this.#examiner.stop()
        for (const timer of this.#timers.keys()) this.#disarm(timer)
    }
  }

  #wish(): Wish {
    this.#asked = this.#filters
    return { filters: this.#filters, cursor: this.#cursor, types: this.#options.types }
  }

  #open(rung: number): void {
    const transport = this.#options.transports[rung]
    if (transport === undefined) return
    const wish = this.#wish()
    const assembler = new Assembler()
    let open = true
    const ifOpen =
      <A extends unknown[]>(f: (...args: A) => void) =>
      (...args: A) => {
        if (open) f(...args)
      }
    const close = transport.open(this.#options.http, wish, {
      sent: ifOpen(() => this.#happen({ type: 'sent' })),
      heard: ifOpen(() => {
        this.#heardAt = Date.now()
        this.#cameAt = performance.now()
      }),
      message: ifOpen((message) => this.#message(message, assembler, wish)),
      retry: ifOpen((ms) => this.#happen({ type: 'retry', ms })),
      ended: ifOpen((failure) => {
        open = false
        this.#closeStream = undefined
        this.#happen({ type: 'ended', failure })
      }),
    })
    this.#closeStream = () => {
      open = false
      close()
    }
  }

  #message(message: Message, assembler: Assembler, wish: Wish): void {
    let said: (Frame | Notice)[] = []
    try {
      said = assembler.take(message)
    } catch (error) {
      this.#sink.warn(`the hub has sent what cannot be read, as ${message.event}`, error)
    }
    for (const each of said) {
      this.#sink.heard(each, this.#cameAt)
      this.#said(each, wish)
    }
  }

  #said(said: Frame | Notice, wish: Wish): void {
    switch (said.kind) {
      case 'verdict':
        if (this.#judged(said.sync, said.cursor, wish)) this.#happen({ ...said.sync, type: 'proved' })
        return
      case 'batch':
      case 'mark':
        return this.#handOver(said)
      case 'heartbeat':
        return this.#happen({ type: 'heartbeat', heartbeatMs: said.heartbeatMs })
      case 'level':
        return this.#happen({ ...said, type: 'level' })
      case 'bye':
        if (said.reason === 'auth') this.#options.http.tokens.drop(this.#options.http.tokens.current, 'refused')
        return this.#happen({ type: 'bye', retryMs: said.retryMs })
      case 'auth':
        if (said.status === 'expiring') this.#renew(said.connection)
    }
  }

  /**
   * Hands a verdict over, unless it is about a cursor that is not ours any more:
   * a stream that was asked for while pages came has to be asked for again.
   */
  #judged(sync: Sync, cursor: string | undefined, wish: Wish): boolean {
    const fallenBehind = this.#state.name === 'live'
    if (sync.status !== 'recovered' && !fallenBehind && wish.cursor !== this.#cursor) {
      this.#happen({ type: 'grown' })
      return false
    }
    this.#sink.covers(wish.filters)
    this.#handOver({ kind: 'verdict', sync, cursor })
    return true
  }

  #handOver(frame: Frame): void {
    if (this.#state.name === 'closed') return
    const there = parseCursor(frame.cursor)
    const here = parseCursor(this.#cursor)
    const foreign = there !== undefined && here !== undefined && there.epoch !== here.epoch
    if (foreign && frame.kind !== 'verdict') return // of the log before a reset
    this.#sink.frame(frame)
    if (frame.kind === 'verdict' || !isBefore(frame.cursor, this.#cursor)) this.#cursor = frame.cursor ?? this.#cursor
  }

  #ask(wait: boolean): void {
    const wish = this.#wish()
    const askedAt = Date.now()
    const unask: () => void = askPage(this.#options.http, wish, wait, {
      page: (page) => {
        if (this.#unask !== unask) return
        this.#unask = undefined
        this.#page(page, wish)
        this.#happen({ type: 'page', level: page.level, count: page.events.length, tookMs: Date.now() - askedAt })
      },
      noPage: (failure) => {
        if (this.#unask !== unask) return
        this.#unask = undefined
        this.#happen({ type: 'noPage', failure })
      },
    })
    this.#unask = unask
  }

  #page(page: Page, wish: Wish): void {
    // If not, more is wanted since: the next page has it, from where we stand.
    if (wish.cursor !== this.#cursor || this.#filters.some((filter) => !wish.filters.includes(filter))) return
    if (page.sync.status !== 'recovered') {
      this.#sink.covers(wish.filters)
      this.#handOver({ kind: 'verdict', sync: page.sync, cursor: page.cursor })
      return
    }
    this.#sink.covers(wish.filters)
    for (const events of batchesOf(page.events)) {
      const epoch = parseCursor(page.cursor)?.epoch
      const offset = events.at(-1)?.offset
      this.#handOver({
        kind: 'batch',
        events,
        cursor: epoch !== undefined && offset !== undefined ? `${epoch}-${offset}` : undefined,
      })
    }
    this.#handOver({ kind: 'mark', cursor: page.cursor })
  }

  /** Finds the filters that are refused, so that one of them does not end the others. */
  #examine(): void {
    const cause = this.#state.name === 'connecting' ? this.#state.cause : undefined
    if (cause?.kind !== 'refused') return
    this.#examiner.examine(this.#filters, cause.problem, (refused, failure) => {
      const guilty = new Set(refused.flatMap(({ filters }) => filters))
      this.#filters = this.#filters.filter((filter) => !guilty.has(filter))
      for (const { filters, problem } of refused) this.#sink.refused(filters, problem)
      if (this.#filters.length === 0) this.#happen({ type: 'want', wanted: false })
      else this.#happen({ type: 'examined', failure })
    })
  }

  /** Gives the stream a newer token before its own ends. If that fails it comes back with one. */
  #renew(connection: string): void {
    const { http } = this.#options
    http.tokens.drop(http.tokens.current, 'expiring')
    http
      .json(http.url('token'), { method: 'POST', body: JSON.stringify({ connection }) })
      .catch((error: unknown) => this.#sink.warn('the token of the stream cannot be renewed', error))
  }

  #arm(timer: Timer, ms: number): void {
    this.#disarm(timer)
    if (timer === 'watchdog') {
      this.#heardAt = Date.now()
      this.#patienceMs = ms
    }
    this.#timers.set(
      timer,
      setTimeout(() => this.#rang(timer, ms), ms),
    )
  }

  #rang(timer: Timer, ms: number): void {
    this.#timers.delete(timer)
    const left = timer === 'watchdog' ? ms - this.#silentMs : 0
    if (left > 0)
      this.#timers.set(
        timer,
        setTimeout(() => this.#rang(timer, ms), this.#state.memory.visible ? left : Math.max(left, hiddenMs)),
      )
    else this.#happen({ type: 'timer', timer })
  }

  /** By the clock, which goes on while a machine sleeps; somebody may set it back. */
  get #silentMs(): number {
    this.#heardAt = Math.min(this.#heardAt, Date.now())
    return Date.now() - this.#heardAt
  }

  #disarm(timer: Timer): void {
    clearTimeout(this.#timers.get(timer))
    this.#timers.delete(timer)
  }
}
