import type { Problem } from '../problem.js'
import { Candidate } from '../tabs/candidate.js'
import type { Ended } from './item.js'

/** What tabs of one outbox tell each other. */
export type Letter<Events extends object> =
  /** What is on the disk has changed. */
  | { readonly kind: 'changed' }
  /** From the tab that sends. */
  | { readonly kind: 'ended'; readonly ended: Ended<Events> }
  /** From the tab that sends: why it pauses, if it does. */
  | { readonly kind: 'sends'; readonly paused: Problem | undefined }
  /** To the tab that sends: are you there? */
  | { readonly kind: 'ask' }
  | { readonly kind: 'resume' }

export interface DutyOptions<Events extends object> {
  readonly name: string
  /** Whether something waits, so that it matters that somebody sends. */
  readonly waiting: () => boolean
  readonly heard: (letter: Letter<Events>) => void
  /** Whether this tab sends has changed. */
  readonly changed: () => void
  /** The page is back, after it may have missed letters. */
  readonly back: () => void
}

/** How long the tab that sends may be silent while something waits. */
const silenceMs = 10_000
/** How long it has to answer then. */
const answerMs = 3_000

/**
 * Duty decides which tab sends: the one that holds the lock. A frozen page keeps it, so
 * it is taken away from one that says nothing while something waits and somebody looks
 * at another tab. Two that send for a moment do no harm, since every event has its id.
 * Where a page has no Web Locks, or may have none, every tab sends.
 */
export class Duty<Events extends object> {
  readonly #options: DutyOptions<Events>
  readonly #candidate: Candidate | undefined
  readonly #stop = new AbortController()
  #channel: BroadcastChannel | undefined
  #watch: ReturnType<typeof setTimeout> | undefined
  #here: boolean

  constructor(options: DutyOptions<Events>) {
    this.#options = options
    const tabs = typeof document !== 'undefined' && typeof BroadcastChannel !== 'undefined'
    const locks = tabs && globalThis.navigator?.locks !== undefined
    this.#here = !locks
    if (!tabs) return
    if (locks) {
      this.#candidate = new Candidate(options.name, {
        term: () => 0,
        elected: () => this.#turn(true),
        deposed: () => this.#turn(false),
        barred: () => this.#turn(true),
      })
    }
    const { signal } = this.#stop
    addEventListener('pagehide', () => this.#leave(), { signal })
    addEventListener('pageshow', ({ persisted }) => persisted && this.#comeBack(), { signal })
    document.addEventListener('visibilitychange', () => this.watch(), { signal })
    this.#come()
  }

  /** Whether this tab sends. */
  get here(): boolean {
    return this.#here
  }

  tell(letter: Letter<Events>): void {
    this.#channel?.postMessage(letter)
  }

  /** Watches for the silence of the tab that sends, if that matters. */
  watch(): void {
    const waits = this.#channel && !this.#here && this.#options.waiting() && document.visibilityState === 'visible'
    if (!waits) this.#unwatch()
    else if (this.#watch === undefined) this.#watch = setTimeout(() => this.#ask(), silenceMs)
  }

  close(): void {
    this.#stop.abort()
    this.#leave()
  }

  #ask(): void {
    this.tell({ kind: 'ask' })
    this.#watch = setTimeout(() => {
      this.#watch = undefined
      this.#candidate?.steal()
    }, answerMs)
  }

  #turn(here: boolean): void {
    this.#here = here
    this.#unwatch()
    this.watch()
    this.#options.changed()
  }

  #come(): void {
    this.#channel = new BroadcastChannel(this.#options.name)
    this.#channel.onmessage = ({ data }: MessageEvent<Letter<Events>>) => {
      if (data.kind === 'ended' || data.kind === 'sends') this.#unwatch()
      this.#options.heard(data)
      this.watch()
    }
    this.#candidate?.stand()
    this.tell({ kind: 'ask' })
  }

  #comeBack(): void {
    this.#come()
    this.#options.back()
  }

  #leave(): void {
    this.#unwatch()
    this.#candidate?.withdraw()
    this.#here = this.#candidate === undefined
    this.#channel?.close() // a browser gives up a page that it keeps when it is sent something
    this.#channel = undefined
  }

  #unwatch(): void {
    clearTimeout(this.#watch)
    this.#watch = undefined
  }
}
