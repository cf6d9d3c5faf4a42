import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'
import { Batcher } from './batcher.js'
import { isShedding } from './shedding.js'

export interface TrackerOptions<Events extends object> {
  /** Where it is published, such as `analytics/alice`; best a transient one. */
  readonly topic: string
  /**
   * Which share of pages tracks, 0 to 1: of each name, if it is listed, all that a page
   * does or nothing. Defaults to 1.
   */
  readonly sample?: number | { readonly [Name in keyof Events & string]?: number }
  /** How long an event waits for others at most. Defaults to 5 s. */
  readonly everyMs?: number
  /** How many are sent together at most. Defaults to 50. */
  readonly most?: number
}

/** Publishes what people do, without haste. */
export interface Tracker<Events extends object> {
  /** Notes that something was done. It never throws, and never waits. May be called without `this`. */
  readonly track: <Name extends keyof Events & string>(name: Name, data?: Events[Name]) => void
  /** Sends what waits. */
  flush(): Promise<void>
  /** How many were tracked and will not be sent: the hub sheds load, refuses them, or is away for too long. */
  readonly dropped: number
  /** Sends what waits, and takes no more. */
  close(): void
}

/**
 * Tracks what people do. Events are sent in batches of at most 32 kB, and what is left when
 * the page is hidden or left goes then. While the hub sheds load they are dropped: they
 * are the first thing that one can do without.
 */
export function createTracker<Events extends object = EventMap>(
  spoke: Spoke<Events>,
  options: TrackerOptions<Events>,
): Tracker<Events> {
  return new Batching(spoke, options)
}

class Batching<Events extends object> implements Tracker<Events> {
  readonly #spoke: Spoke<Events>
  readonly #options: TrackerOptions<Events>
  readonly #batcher: Batcher
  readonly #stop = new AbortController()
  /** Decides what of this page is in the sample. */
  readonly #luck = Math.random()
  #dropped = 0

  constructor(spoke: Spoke<Events>, options: TrackerOptions<Events>) {
    this.#spoke = spoke
    this.#options = options
    this.#batcher = new Batcher(spoke, {
      everyMs: options.everyMs ?? 5_000,
      most: options.most ?? 50,
      may: () => !isShedding(spoke),
      dropped: (count) => {
        this.#dropped += count
      },
    })
    const { signal } = this.#stop
    const hidden = () => document.visibilityState === 'hidden' && void this.flush()
    globalThis.document?.addEventListener('visibilitychange', hidden, { signal })
    globalThis.window?.addEventListener('pagehide', () => this.#batcher.leave(), { signal })
  }

  get dropped(): number {
    return this.#dropped
  }

  readonly track = <Name extends keyof Events & string>(name: Name, data?: Events[Name]): void => {
    if (this.#stop.signal.aborted || !this.#isSampled(name)) return
    if (isShedding(this.#spoke)) this.#dropped++
    else this.#batcher.add({ topic: this.#options.topic, type: name, ...(data !== undefined && { data }) })
  }

  flush(): Promise<void> {
    return this.#batcher.flush()
  }

  close(): void {
    this.#stop.abort()
    this.#batcher.close()
  }

  #isSampled(name: keyof Events & string): boolean {
    const { sample = 1 } = this.#options
    const share = typeof sample === 'number' ? sample : (sample[name] ?? 1)
    return (this.#luck + placeOf(name)) % 1 < share
  }
}

/** A place in the circle from 0 to 1, so that a page that tracks one name need not track all. */
function placeOf(name: string): number {
  let place = 0
  for (const letter of name) place = (place * 31 + letter.charCodeAt(0)) % 9973
  return place / 9973
}
