import { Connection } from './connection.js'
import type { Feed, FeedSink } from './feed.js'
import type { Frame, Notice } from './frames.js'
import { type Fetch, Http } from './http.js'
import { Inbox } from './inbox.js'
import { Listeners } from './listeners.js'
import { initial, type State } from './machine/state.js'
import type { Problem } from './problem.js'
import { type Draft, type Published, Publisher, type PublishOptions } from './publisher.js'
import { explained, guarded, reporter } from './reporting.js'
import type { EventMap, Schemas, Typed } from './schema.js'
import type { SubscribeOptions, Subscriber } from './subscription.js'
import { type TokenSource, Tokens } from './tokens.js'
import { fetchStream } from './transports/stream.js'
import type { StreamTransport } from './transports/transport.js'
import { earlier } from './wire.js'

export interface SpokeOptions<Events extends object> {
  /** Where the hub is, such as `https://hub.example.com`: what comes before `/v1`. */
  readonly url: string
  /** Gives the token; without it the spoke is anonymous, or the cookie says who it is. */
  readonly token?: TokenSource
  /** What the data of events is checked with. An event that does not pass is reported and left out. */
  readonly schemas?: Schemas<Events>
  /** How streams are had, the first first. Defaults to fetch; none is polling alone. */
  readonly transports?: readonly StreamTransport[]
  /** Shares one connection among the tabs of a browser: `shareTabs()` of `@nave/spoke/tabs`. */
  readonly tabs?: TabsFactory
  /** The source of all that is published; see `Draft.source`. */
  readonly source?: string
  /** The W3C trace context that is published in, such as OpenTelemetry's; see docs/spoke.md. */
  readonly traceparent?: () => string | undefined
  /** Where to go on, from an earlier `Spoke.cursor`. */
  readonly cursor?: string
  /** Begin switched off; see `Spoke.enable`. */
  readonly disabled?: boolean
  /** Whether cookies go along, as in `fetch`. */
  readonly credentials?: RequestCredentials
  readonly fetch?: Fetch
  /** Hears what goes wrong and stops nothing: events that are not valid, subscribers that throw. Defaults to `console.error`. */
  readonly onError?: (error: unknown) => void
}

/** Makes a feed for one tab out of how a connection is made. */
export type TabsFactory = (connect: (sink: FeedSink) => Connection, sink: FeedSink, url: string) => Feed

/** A spoke: one connection to the hub, whatever the number of subscriptions. */
export interface Spoke<Events extends object> {
  /** How it is connected now. */
  readonly state: State
  /** Up to here everything has been handed to the subscribers; undefined while there are none. */
  readonly cursor: string | undefined
  /** Sends requests to the hub as the spoke does, with its token. */
  readonly http: Http
  /** Calls back after every change of `state`, and returns what ends that. */
  watch(listener: (state: State) => void): () => void
  /** Hears all that this tab's own stream says, before the subscribers do, and returns what ends that; see `FeedSink.heard`. */
  listen(listener: (said: Frame | Notice, at: number) => void): () => void
  /** Follows filters, and returns what ends that. */
  subscribe(
    filters: string | readonly string[],
    subscriber: Subscriber<Events> | Subscriber<Events>['events'],
    options?: SubscribeOptions,
  ): () => void
  /** Follows one type of event, one event at a time. */
  on<Type extends keyof Events & string>(
    filters: string | readonly string[],
    type: Type,
    listener: (event: Typed<Events, Type>) => void,
  ): () => void
  /** Publishes an event. Resolves when the hub has it; throws a ConflictError if `ifVersion` does not hold. */
  publish(draft: Draft<Events>, options?: PublishOptions): Promise<Published>
  /** Publishes events together: all are stored, or none. */
  batch(drafts: readonly Draft<Events>[], options?: PublishOptions): Promise<Published>
  /** Tells `onError` what goes wrong in what is built on the spoke. May be called without `this`. */
  readonly report: (error: unknown) => void
  /** Tries now what waits for its time, also after the token was refused. */
  retry(): void
  /** Switches live delivery off, until `enable`. Publishing goes on. */
  disable(): void
  enable(): void
  close(): void
}

/** How long a spoke without subscriptions keeps its connection: pages that change theirs drop it for a moment. */
const settleMs = 200

/** Makes a spoke. Throws a TypeError for options that can never work. */
export function createSpoke<Events extends object = EventMap>(options: SpokeOptions<Events>): Spoke<Events> {
  return new HubSpoke(checked(options))
}

class HubSpoke<Events extends object> implements Spoke<Events> {
  readonly http: Http
  readonly #inbox: Inbox<Events>
  readonly #feed: Feed
  readonly #publisher: Publisher
  readonly report: (error: unknown) => void
  readonly #watchers: Listeners<[state: State]>
  readonly #listeners: Listeners<[said: Frame | Notice, at: number]>
  readonly #stop = new AbortController()
  #state: State
  #settling: ReturnType<typeof setTimeout> | undefined
  #wanting = false
  #from: string | undefined

  constructor(options: SpokeOptions<Events>) {
    const transports = options.transports ?? [fetchStream()]
    const schemas = options.schemas ?? {}
    const http = new Http(options.url, new Tokens(options.token), options.fetch, options.credentials)
    this.http = http
    this.#state = initial(transports.length, http.tokens.anonymous)
    this.report = reporter(options.onError)
    this.#watchers = new Listeners(this.report)
    this.#listeners = new Listeners(this.report)
    this.#inbox = new Inbox({ http, schemas, cursor: options.cursor, fail: this.report })
    this.#publisher = new Publisher(
      http,
      options.source,
      () => guarded(() => options.traceparent?.(), this.report), // without a trace it is published all the same
    )
    this.#from = options.cursor
    const connect = (sink: FeedSink) =>
      new Connection({ http, transports, types: Object.keys(schemas), disabled: options.disabled }, sink)
    const sink: FeedSink = {
      heard: (said, at) => this.#listeners.tell(said, at),
      frame: (frame) => this.#inbox.take(frame),
      covers: (filters) => this.#inbox.covers(filters),
      state: (state) => this.#changed(state),
      refused: (filters, problem) => this.#refused(filters, problem),
      warn: (message, cause) => this.report(explained(message, cause)),
    }
    this.#feed = options.tabs?.(connect, sink, options.url) ?? connect(sink)
    globalThis.window?.addEventListener('pagehide', () => this.#publisher.leave(), { signal: this.#stop.signal })
  }

  get state(): State {
    return this.#state
  }

  get cursor(): string | undefined {
    return this.#inbox.cursor
  }

  watch(listener: (state: State) => void): () => void {
    return this.#watchers.add(listener)
  }

  listen(listener: (said: Frame | Notice, at: number) => void): () => void {
    return this.#listeners.add(listener)
  }

  subscribe(
    filters: string | readonly string[],
    subscriber: Subscriber<Events> | Subscriber<Events>['events'],
    options: SubscribeOptions = {},
  ): () => void {
    const all = typeof filters === 'string' ? [filters] : filters
    const to = typeof subscriber === 'function' ? { events: subscriber } : subscriber
    const useless = this.#closed ? closed : malformed(all)
    if (useless) {
      queueMicrotask(() => this.#inbox.turnAway(to, useless))
      return () => {}
    }
    const subscription = this.#inbox.add(all, to, options)
    this.#want(options.cursor)
    return () => {
      this.#inbox.remove(subscription)
      this.#want(undefined)
    }
  }

  on<Type extends keyof Events & string>(
    filters: string | readonly string[],
    type: Type,
    listener: (event: Typed<Events, Type>) => void,
  ): () => void {
    return this.subscribe(filters, (events) => {
      for (const event of events)
        if (event.type === type) guarded(() => listener(event as unknown as Typed<Events, Type>), this.report)
    })
  }

  publish(draft: Draft<Events>, options: PublishOptions = {}): Promise<Published> {
    return this.#send(draft, options)
  }

  batch(drafts: readonly Draft<Events>[], options: PublishOptions = {}): Promise<Published> {
    return this.#send(drafts, options)
  }

  retry(): void {
    this.#feed.retry()
  }

  disable(): void {
    this.#feed.disable()
  }

  enable(): void {
    this.#feed.enable()
  }

  close(): void {
    this.#stop.abort()
    clearTimeout(this.#settling)
    this.#inbox.clear()
    this.#feed.close()
  }

  get #closed(): boolean {
    return this.#stop.signal.aborted
  }

  async #send(drafts: Draft<Events> | readonly Draft<Events>[], options: PublishOptions): Promise<Published> {
    if (this.#closed) throw new Error(closed.detail)
    return this.#publisher.publish(drafts, options)
  }

  /** Tells the feed what is wanted, once for all that changes together. */
  #want(cursor: string | undefined): void {
    this.#from = earlier(this.#from, cursor)
    if (this.#wanting) return
    this.#wanting = true
    queueMicrotask(() => {
      this.#wanting = false
      clearTimeout(this.#settling)
      const filters = this.#inbox.filters
      if (filters.length === 0) this.#settling = setTimeout(() => this.#rest(), settleMs)
      else this.#feed.want(filters, this.#from)
      this.#from = undefined
    })
  }

  #rest(): void {
    this.#feed.want([], undefined)
    this.#inbox.forget()
  }

  #refused(filters: readonly string[], problem: Problem): void {
    this.#inbox.refuse(filters, problem)
    this.#want(undefined)
  }

  #changed(state: State): void {
    const before = this.#state
    this.#state = state
    if (!looksAlike(before, state)) this.#watchers.tell(state)
  }
}

const closed: Problem = { status: 0, code: 'closed', detail: 'the spoke is closed: make another' }

/** What the hub could not be asked for. */
function malformed(filters: readonly string[]): Problem | undefined {
  const filter = filters.find((each) => /\p{Surrogate}/u.test(each))
  if (filter === undefined) return undefined
  return { status: 400, code: 'invalid', detail: `the filter ${JSON.stringify(filter)} has half a character` }
}

/** Mistakes that would look like a bad network. */
function checked<Events extends object>(options: SpokeOptions<Events>): SpokeOptions<Events> {
  const { url, token } = options
  if (/^(?!https?:)[a-z][a-z\d+.-]*:/i.test(url))
    throw new TypeError(`url is ${url}: it begins with https:// or http://, or is a path of the page's own origin`)
  if (token !== undefined && typeof token !== 'function')
    throw new TypeError('token is not a function: it is asked for a token whenever one is needed')
  return options
}

/** Whether nothing has changed that anybody would show. */
function looksAlike(a: State, b: State): boolean {
  const { memory: was, ...before } = a
  const { memory: is, ...after } = b
  return was.level === is.level && JSON.stringify(before) === JSON.stringify(after)
}
