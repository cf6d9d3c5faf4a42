import { Listeners } from '../listeners.js'
import { guarded } from '../reporting.js'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'
import { watchActivity } from './activity.js'
import { Batcher } from './batcher.js'
import { tellIdleness } from './idleness.js'
import { keep, type Memory, resume } from './memory.js'
import { isShedding } from './shedding.js'

export interface SessionOptions {
  /** Where it is published, such as `sessions/alice`; best one of durability `memory`. */
  readonly topic: string
  /** Who is signed in, such as a user's id: activity counts in all tabs of the same. */
  readonly identity?: string
  /** What else its events say, such as which page is looked at. A function is asked each time. */
  readonly data?: { readonly [name: string]: unknown } | (() => unknown)
  /** After how long without activity, in any tab, it is idle. Defaults to a minute. */
  readonly idleAfterMs?: number
  /**
   * How often it says that it lives. Defaults to 30 s. Four times as rarely while it is
   * idle or not looked at, and again while the hub sheds load.
   */
  readonly heartbeatMs?: number
}

export type SessionState = 'active' | 'idle' | 'ended'

/** What a session's events say. `session.ended` says nothing: the session is removed from the topic's state. */
export interface SessionSaid {
  readonly state: 'active' | 'idle'
  /** When it began, RFC 3339, by the browser's clock. */
  readonly began: string
  /** It has begun before, and was interrupted: the page was loaded anew, or left for a while. */
  readonly continued?: boolean
  readonly identity?: string
  /** As in `SessionOptions.data`. */
  readonly data?: unknown
}

/** The types of a session's events; their key is its id. */
export type SessionEvents = {
  [Type in `session.${'started' | 'heartbeat' | 'idle' | 'active' | 'ended'}`]: SessionSaid
}

/** What somebody does with a tab, from when it is opened until it is left. */
export interface Session {
  readonly id: string
  readonly state: SessionState
  /** Calls back after every change of `state`, and returns what ends that. */
  watch(listener: (state: SessionState) => void): () => void
  /** Ends it for good, as when somebody signs out. */
  end(): void
  /** Stops following it, and says nothing of it: who calls `trackSession` next goes on with it. */
  close(): void
}

/** By how much more rarely one says that it lives whom nobody looks at. */
const rarely = 4

/**
 * Follows the session of this tab, and publishes it. It is one of the tab's, and not of
 * the browser's: so it lasts over a reload, ends with the tab, and needs no other tab to
 * say so. Whoever asks about people groups by identity.
 */
export function trackSession(
  spoke: Pick<Spoke<EventMap>, 'batch' | 'http' | 'state' | 'listen' | 'report'>,
  options: SessionOptions,
): Session {
  if (typeof document === 'undefined') throw new Error('trackSession: there is no page here; call it in the browser')
  return new Tracked(spoke, options)
}

class Tracked implements Session {
  readonly #spoke: Parameters<typeof trackSession>[0]
  readonly #options: SessionOptions
  readonly #idleAfterMs: number
  readonly #batcher: Batcher
  readonly #sayIdle: (idle: boolean) => void
  readonly #listeners: Listeners<[state: SessionState]>
  readonly #stop = new AbortController()
  #memory: Memory
  #state: SessionState = 'active'
  #activeAt = 0
  #saidAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(spoke: Parameters<typeof trackSession>[0], options: SessionOptions) {
    this.#spoke = spoke
    this.#listeners = new Listeners(spoke.report)
    this.#options = options
    this.#idleAfterMs = options.idleAfterMs ?? 60_000
    this.#batcher = new Batcher(spoke, { everyMs: 0, most: 50, dropped: () => {} })
    this.#memory = resume(options.topic)
    const { signal } = this.#stop
    const [sayIdle, endSaying] = tellIdleness(spoke)
    this.#sayIdle = sayIdle
    signal.addEventListener('abort', endSaying)
    // A machine that slept may have held its timers back, and its clock not.
    const unlisten = spoke.listen(({ kind }) => kind === 'heartbeat' && this.#look())
    signal.addEventListener('abort', unlisten)
    const shareMs = Math.min(this.#idleAfterMs / 4, 15_000)
    // First: who comes back to the page is there.
    watchActivity(`nave/activity ${options.identity ?? ''}`, shareMs, (at) => this.#wasActive(at), signal)
    addEventListener('pagehide', () => this.#leave(), { signal })
    addEventListener('pageshow', (event) => event.persisted && this.#comeBack(), { signal })
    for (const look of ['visibilitychange', 'resume']) document.addEventListener(look, () => this.#look(), { signal })
    this.#say('started')
    this.#look()
  }

  get id(): string {
    return this.#memory.id
  }

  get state(): SessionState {
    return this.#state
  }

  watch(listener: (state: SessionState) => void): () => void {
    return this.#listeners.add(listener)
  }

  end(): void {
    if (this.#stop.signal.aborted) return
    this.#say('ended')
    this.#close()
    this.#change('ended')
  }

  close(): void {
    if (this.#stop.signal.aborted) return
    keep(this.#options.topic, this.#memory)
    this.#close()
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
    this.#batcher.close()
  }

  #wasActive(at: number): void {
    this.#activeAt = Math.max(this.#activeAt, at)
    if (this.#state === 'idle') this.#look()
  }

  /** Sees what time has brought, and when to look again. */
  #look(): void {
    clearTimeout(this.#timer)
    if (this.#state === 'ended') return
    const now = performance.now()
    const idleAt = this.#activeAt + this.#idleAfterMs
    const state = now >= idleAt ? 'idle' : 'active'
    if (state !== this.#state) {
      this.#change(state)
      this.#say(state)
    } else if (now - this.#saidAt >= this.#heartbeatMs) this.#say('heartbeat')
    const heartbeatAt = this.#saidAt + this.#heartbeatMs
    this.#timer = setTimeout(() => this.#look(), (state === 'idle' ? heartbeatAt : Math.min(idleAt, heartbeatAt)) - now)
  }

  get #heartbeatMs(): number {
    const { heartbeatMs = 30_000 } = this.#options
    const unseen = this.#state === 'idle' || document.visibilityState === 'hidden'
    return heartbeatMs * (unseen ? rarely : 1) * (isShedding(this.#spoke) ? rarely : 1)
  }

  #leave(): void {
    if (this.#state === 'ended') return
    clearTimeout(this.#timer)
    keep(this.#options.topic, this.#memory)
    this.#say('ended')
    this.#batcher.leave()
    this.#change('ended')
  }

  #comeBack(): void {
    this.#memory = resume(this.#options.topic)
    this.#change('active')
    this.#say('started')
    this.#look()
  }

  #say(what: 'started' | 'heartbeat' | 'idle' | 'active' | 'ended'): void {
    this.#saidAt = performance.now()
    if (what === 'heartbeat' && !this.#batcher.idle) return // what waits says as much
    const { topic, identity, data } = this.#options
    const { id, began, continued } = this.#memory
    const said: SessionSaid = {
      state: this.#state === 'idle' ? 'idle' : 'active',
      began,
      ...(continued && what === 'started' && { continued }),
      ...(identity !== undefined && { identity }),
      ...(data !== undefined && { data: typeof data === 'function' ? guarded(data, this.#spoke.report) : data }),
    }
    this.#batcher.add({ topic, type: `session.${what}`, key: id, ...(what !== 'ended' && { data: said }) })
  }

  #change(state: SessionState): void {
    this.#state = state
    this.#sayIdle(state === 'idle')
    this.#listeners.tell(state)
  }
}
