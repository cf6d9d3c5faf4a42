import type { Feed, FeedSink } from '../feed.js'
import type { Frame } from '../frames.js'
import { initial, type State } from '../machine/state.js'
import { earlier, isBefore } from '../wire.js'
import { Candidate } from './candidate.js'
import { Leader, type LeaderOptions } from './leader.js'
import type { Letter, Order, Request } from './messages.js'

/** A leader that says nothing for so long is asked whether it is there. */
const silenceMs = 40_000
/** How long it has to answer. */
const answerMs = 1_000

/**
 * Tab is one of those that share a connection. The one that holds the lock leads;
 * the others take its frames. Whoever does not hear of it any more takes the lock
 * away, with a higher term: orders of a lower one, from a page that was frozen and
 * thaws, count for nothing.
 */
export class Tab implements Feed {
  readonly #name: string
  readonly #connect: LeaderOptions['connect']
  readonly #sink: FeedSink
  readonly #id = crypto.randomUUID()
  /** Closed while the page is left. */
  #channel: BroadcastChannel | undefined
  readonly #candidate: Candidate
  readonly #stop = new AbortController()
  #leader: Leader | undefined
  #term = 0
  #state: State = initial(1)
  #filters: readonly string[] = []
  #cursor: string | undefined
  #serial = 0
  /** The want that has to be in force before frames are taken. */
  #awaited: number | undefined
  #disabled: boolean | undefined
  #watch: ReturnType<typeof setTimeout> | undefined

  constructor(name: string, connect: LeaderOptions['connect'], sink: FeedSink) {
    this.#name = name
    this.#connect = connect
    this.#sink = sink
    this.#channel = this.#openChannel()
    this.#candidate = new Candidate(name, {
      term: () => this.#term,
      elected: (term) => this.#lead(term),
      deposed: () => this.#depose(),
    })
    this.#candidate.stand()
    this.#listen()
    const { signal } = this.#stop
    addEventListener('pagehide', () => this.#leave(), { signal })
    addEventListener('pageshow', (event) => event.persisted && this.#comeBack(), { signal })
    document.addEventListener('visibilitychange', () => this.#listen(), { signal })
    document.addEventListener('resume', () => this.#listen(), { signal })
  }

  get state(): State {
    return this.#state
  }

  want(filters: readonly string[], cursor: string | undefined): void {
    const known = new Set(this.#filters)
    const more = filters.some((filter) => !known.has(filter))
    this.#filters = filters
    if (filters.length === 0) this.#cursor = undefined
    this.#say(more || cursor !== undefined, cursor)
  }

  retry(): void {
    this.#tell({ kind: 'retry' })
  }

  disable(): void {
    this.#disabled = true
    this.#tell({ kind: 'disable' })
  }

  enable(): void {
    this.#disabled = false
    this.#tell({ kind: 'enable' })
  }

  close(): void {
    this.#leave()
    this.#stop.abort()
    this.#changed({ name: 'closed', memory: this.#state.memory })
  }

  /** Says what this tab wants. What is new is waited for, from where we stand. */
  #say(awaits: boolean, cursor?: string): void {
    const serial = ++this.#serial
    if (awaits && this.#leader === undefined) this.#awaited = serial
    const from = awaits ? earlier(this.#cursor, cursor) : undefined
    this.#tell({ kind: 'want', tab: this.#id, serial, filters: this.#filters, cursor: from })
  }

  #tell(request: Request): void {
    if (this.#leader) this.#obey(this.#leader, request)
    else this.#channel?.postMessage(request)
  }

  #read(letter: Letter): void {
    if (!('order' in letter)) {
      if (this.#leader) this.#obey(this.#leader, letter)
      return
    }
    if (letter.term < this.#term) return
    if (letter.term > this.#term) {
      this.#term = letter.term
      if (this.#leader) this.#candidate.giveUp()
    }
    if (this.#leader) return
    this.#listen()
    this.#follow(letter.order)
  }

  #obey(leader: Leader, request: Request): void {
    switch (request.kind) {
      case 'want':
        return leader.want(request)
      case 'gone':
        return leader.gone(request.tab)
      case 'ping':
        return this.#order({ kind: 'pong' })
      default:
        return leader.feed[request.kind]()
    }
  }

  #follow(order: Order): void {
    switch (order.kind) {
      case 'lead':
        return this.#say(true)
      case 'frame':
        if (order.to === undefined ? this.#awaited === undefined : order.to === this.#id) this.#take(order.frame)
        return
      case 'covers': {
        const serial = order.serials.get(this.#id) ?? 0
        if (this.#awaited !== undefined && serial < this.#awaited) return
        this.#awaited = undefined
        return this.#sink.covers(order.filters)
      }
      case 'state':
        return this.#changed(order.state)
      case 'refused':
        return this.#sink.refused(order.filters, order.problem)
      case 'pong':
    }
  }

  #take(frame: Frame): void {
    this.#sink.frame(frame)
    if (frame.kind === 'verdict' || !isBefore(frame.cursor, this.#cursor)) this.#cursor = frame.cursor ?? this.#cursor
  }

  #changed(state: State): void {
    this.#state = state
    this.#sink.state(state)
  }

  #order(order: Order): void {
    this.#channel?.postMessage({ term: this.#term, order } satisfies Letter)
  }

  #lead(term: number): void {
    this.#term = term
    this.#awaited = undefined
    clearTimeout(this.#watch)
    const leader = new Leader({
      connect: this.#connect,
      order: (order) => {
        if (this.#term === term) this.#order(order)
      },
      own: {
        ...this.#sink,
        frame: (frame) => this.#take(frame),
        state: (state) => this.#changed(state),
      },
      ownTab: this.#id,
    })
    this.#leader = leader
    if (this.#disabled !== undefined) leader.feed[this.#disabled ? 'disable' : 'enable']()
    this.#order({ kind: 'lead' })
    this.#say(true)
  }

  /** Somebody else leads now, or this page is left. */
  #depose(): void {
    this.#leader?.close()
    this.#leader = undefined
    this.#listen()
    if (this.#stop.signal.aborted) return
    this.#say(true)
  }

  #leave(): void {
    clearTimeout(this.#watch)
    this.#tell({ kind: 'gone', tab: this.#id })
    this.#leader?.close()
    this.#leader = undefined
    this.#candidate.withdraw()
    this.#channel?.close() // a browser gives up a page that it keeps when it is sent something
    this.#channel = undefined
  }

  #comeBack(): void {
    this.#channel = this.#openChannel()
    this.#candidate.stand()
    this.#listen()
    this.#say(true)
  }

  #openChannel(): BroadcastChannel {
    const channel = new BroadcastChannel(this.#name)
    channel.onmessage = ({ data }: MessageEvent<Letter>) => this.#read(data)
    return channel
  }

  /** Watches for the leader's silence, as long as anybody looks at this page. */
  #listen(): void {
    clearTimeout(this.#watch)
    if (this.#leader || this.#stop.signal.aborted || document.visibilityState === 'hidden') return
    this.#watch = setTimeout(() => {
      this.#channel?.postMessage({ kind: 'ping' } satisfies Letter)
      this.#watch = setTimeout(() => this.#candidate.steal(), answerMs)
    }, silenceMs)
  }
}
