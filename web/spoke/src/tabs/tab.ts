import type { Feed, FeedSink } from '../feed.js'
import type { Frame } from '../frames.js'
import { isAtRest } from '../machine/parts.js'
import { initial, type State } from '../machine/state.js'
import type { Problem } from '../problem.js'
import { earlier, isBefore, parseCursor } from '../wire.js'
import { beThere } from './alive.js'
import { Candidate } from './candidate.js'
import { Leader, type LeaderOptions } from './leader.js'
import type { Letter, Order, Request } from './messages.js'

/** A leader that says nothing for so long is asked whether it is there. */
const silenceMs = 40_000
/** How long it has to answer. */
const answerMs = 2_000
/** A leader that nobody has looked at for so long gives way to a tab that is looked at: phones stop the others. */
const unseenMs = 5_000

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
  /** The name of this tab, and of the lock that it holds while it is there. */
  readonly #there = `nave/1 ${crypto.randomUUID()}`
  /** Closed while the page is left, or frozen. */
  #channel: BroadcastChannel | undefined
  #leaveThere = () => {}
  readonly #candidate: Candidate
  readonly #stop = new AbortController()
  #leader: Leader | undefined
  /** A connection of this tab's own. */
  #alone: Feed | undefined
  #term = 0
  #state: State = initial(1)
  #filters: readonly string[] = []
  #cursor: string | undefined
  /** The earliest cursor that was asked for and is not in force. */
  #owed: string | undefined
  #serial = 0
  /** The want that has to be in force before frames are taken. */
  #awaited: number | undefined
  /** Whether the connection is switched off, as far as this tab knows, and whether nobody was there to be told. */
  #off: boolean | undefined
  #untold = false
  /** For the leader's silence; as the leader, for how long nobody looks at this page. */
  #watch: ReturnType<typeof setTimeout> | undefined
  #unseen = false

  constructor(name: string, connect: LeaderOptions['connect'], sink: FeedSink) {
    this.#name = name
    this.#connect = connect
    this.#sink = sink
    this.#candidate = new Candidate(name, {
      term: () => this.#term,
      elected: (term) => this.#lead(term),
      deposed: () => this.#depose(),
      barred: (error) => {
        sink.warn('the tabs do not share a connection: this page may have no locks', error)
        this.#secede()
      },
    })
    this.#enter()
    const { signal } = this.#stop
    addEventListener('pagehide', () => this.#suspend(), { signal })
    addEventListener('pageshow', (event) => event.persisted && this.#resume(), { signal })
    document.addEventListener('freeze', () => this.#suspend(), { signal })
    document.addEventListener('resume', () => this.#resume(), { signal })
    document.addEventListener('visibilitychange', () => this.#look(), { signal })
  }

  get state(): State {
    return this.#state
  }

  want(filters: readonly string[], cursor: string | undefined): void {
    if (this.#alone) return this.#alone.want(filters, cursor)
    const known = new Set(this.#filters)
    const more = filters.some((filter) => !known.has(filter))
    this.#filters = filters
    const wanting = filters.length > 0
    this.#cursor = wanting ? (this.#cursor ?? cursor) : undefined
    this.#owed = wanting ? earlier(this.#owed, cursor) : undefined
    this.#say(more || cursor !== undefined)
  }

  retry(): void {
    if (this.#alone) this.#alone.retry()
    else this.#tell({ kind: 'retry' })
  }

  disable(): void {
    this.#switch(true)
  }

  enable(): void {
    this.#switch(false)
  }

  close(): void {
    this.#alone?.close()
    this.#leave()
    this.#stop.abort()
    this.#changed({ name: 'closed', memory: this.#state.memory })
  }

  #switch(off: boolean): void {
    if (this.#alone) return this.#alone[off ? 'disable' : 'enable']()
    this.#off = off
    this.#untold = true // until the leader says something
    this.#tell({ kind: off ? 'disable' : 'enable' })
  }

  /** Says what this tab wants. What is new is waited for, from where we stand. */
  #say(awaits: boolean): void {
    const serial = ++this.#serial
    if (awaits && this.#leader === undefined) this.#awaited = serial
    const from = awaits || this.#awaited !== undefined ? earlier(this.#cursor, this.#owed) : undefined
    this.#tell({ kind: 'want', tab: this.#there, serial, filters: this.#filters, cursor: from })
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
        return this.#order({ kind: this.#unseen ? 'yield' : 'pong' })
      default:
        return leader.feed[request.kind]()
    }
  }

  #follow(order: Order): void {
    switch (order.kind) {
      case 'lead':
        if (this.#untold) this.#tell({ kind: this.#off ? 'disable' : 'enable' })
        return this.#say(true)
      case 'frame':
        if (order.to === undefined ? this.#awaited === undefined : order.to === this.#there) this.#take(order.frame)
        return
      case 'covers': {
        const serial = order.serials.get(this.#there) ?? 0
        if (this.#awaited !== undefined && serial < this.#awaited) return
        return this.#covered(order.filters)
      }
      case 'state':
        return this.#heard(order.state)
      case 'refused':
        return this.#refused(order.filters, order.problem)
      case 'yield':
        if (document.visibilityState === 'visible') this.#candidate.steal()
        return
      case 'pong':
    }
  }

  #take(frame: Frame): void {
    const said = this.#judged(frame)
    this.#sink.frame(said)
    if (said.kind === 'verdict' || !isBefore(said.cursor, this.#cursor)) this.#cursor = said.cursor ?? this.#cursor
  }

  /** The leader goes on in another log than this tab has stood in: the hub has told others, not us. */
  #judged(frame: Frame): Frame {
    const there = parseCursor(frame.cursor)
    const here = parseCursor(this.#cursor)
    const reset = frame.kind === 'verdict' && frame.sync.status === 'reset'
    if (reset || there === undefined || here === undefined || there.epoch === here.epoch) return frame
    return { kind: 'verdict', sync: { status: 'reset', reason: 'foreign-epoch' }, cursor: frame.cursor }
  }

  #covered(filters: readonly string[]): void {
    this.#awaited = undefined
    this.#owed = undefined
    this.#sink.covers(filters)
  }

  #heard(state: State): void {
    if (state.name === 'closed') return this.#secede()
    this.#off = state.name === 'disabled' && state.by === 'app'
    this.#untold = false
    this.#changed(state)
  }

  /** Of too many it may be the other tabs' that leave no room. */
  #refused(filters: readonly string[], problem: Problem): void {
    const ours = this.#filters.some((filter) => filters.includes(filter))
    if (ours && problem.code === 'too-many') this.#secede()
    else this.#sink.refused(filters, problem)
  }

  /** This tab goes on with a connection of its own. */
  #secede(): void {
    this.#leave()
    this.#stop.abort()
    this.#alone = this.#connect({ ...this.#sink, state: (state) => this.#changed(state) })
    if (this.#off !== undefined) this.#alone[this.#off ? 'disable' : 'enable']()
    this.#alone.want(this.#filters, earlier(this.#cursor, this.#owed))
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
    const off = this.#off // what the connection begins with is less new
    const leader = new Leader({
      connect: this.#connect,
      order: (order) => this.#order(order),
      own: {
        ...this.#sink,
        frame: (frame) => this.#take(frame),
        covers: (filters) => this.#covered(filters),
        refused: (filters, problem) => this.#refused(filters, problem),
        state: (state) => this.#heard(state),
      },
      ownTab: this.#there,
    })
    this.#leader = leader
    this.#listen()
    if (off !== undefined) leader.feed[off ? 'disable' : 'enable']()
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
    this.#tell({ kind: 'gone', tab: this.#there })
    this.#leader?.close()
    this.#leader = undefined
    this.#candidate.withdraw()
    this.#leaveThere()
    this.#channel?.close() // a browser gives up a page that it keeps when it is sent something
    this.#channel = undefined
  }

  /** Nobody is to wait for a page that is left, or frozen. */
  #suspend(): void {
    if (this.#channel === undefined) return
    this.#leave()
    const { memory } = this.#state
    if (!isAtRest(this.#state)) this.#changed({ name: 'offline', why: 'suspended', memory })
  }

  #resume(): void {
    if (this.#channel !== undefined) return
    this.#enter()
    this.#say(true)
  }

  #enter(): void {
    const channel = new BroadcastChannel(this.#name)
    channel.onmessage = ({ data }: MessageEvent<Letter>) => this.#read(data)
    this.#channel = channel
    this.#leaveThere = beThere(this.#there)
    this.#candidate.stand()
    this.#look()
  }

  /** Who begins to look at a page does not wait long for a leader that may be frozen. */
  #look(): void {
    this.#unseen = false
    if (this.#leader || document.visibilityState === 'hidden') this.#listen()
    else if (this.#channel === undefined) this.#resume()
    else this.#ask()
  }

  #listen(): void {
    clearTimeout(this.#watch)
    const hidden = document.visibilityState === 'hidden'
    if (this.#channel === undefined || hidden !== (this.#leader !== undefined)) return
    this.#watch = hidden ? setTimeout(() => this.#yield(), unseenMs) : setTimeout(() => this.#ask(), silenceMs)
  }

  #yield(): void {
    this.#unseen = true
    this.#order({ kind: 'yield' })
  }

  #ask(): void {
    clearTimeout(this.#watch)
    if (this.#channel === undefined) return
    this.#channel.postMessage({ kind: 'ping' } satisfies Letter)
    this.#watch = setTimeout(() => this.#candidate.steal(), answerMs)
  }
}
