import { matches } from './filter.js'
import { batchesOf } from './frames.js'
import type { HubError } from './problem.js'
import type { EventOf } from './schema.js'
import type { ResetReason, WireEvent } from './wire.js'

/** Who subscribes. */
export interface Subscriber<Events extends object> {
  /**
   * Events in the hub's order. Those that were published together come together,
   * as far as the filters match them, and no call has a part of them.
   */
  events(events: readonly EventOf<Events>[]): void
  /**
   * Something was missed, and nobody can tell what: fetch anew from where the data
   * comes from. Events go on from now. With `snapshot` one follows by itself.
   */
  reset?(reason: ResetReason | undefined): void
  /**
   * From now on all is told: what is fetched now and later lacks nothing that is not.
   * Called once the connection has begun, or at once if it has; not if one goes on
   * from a cursor.
   */
  begun?(): void
  /** With `snapshot`: the latest event of every key, once at first and after every reset. */
  snapshot?(events: readonly EventOf<Events>[]): void
  /** The subscription is refused, and has ended. */
  refused?(error: HubError): void
}

export interface SubscribeOptions {
  /** Go on from here, instead of from now. */
  readonly cursor?: string
  /** Begin with the latest event of every key. */
  readonly snapshot?: boolean
}

/** How many events wait for a snapshot at most: one that is older than those beyond is fetched again. */
const mostWaiting = 5_000

/**
 * Subscription is one of those that share a connection. It knows up to which offset
 * it has everything, so nothing comes to it twice, whatever the connection repeats.
 */
export class Subscription {
  readonly filters: readonly string[]
  readonly wantsSnapshot: boolean
  readonly #deliver: (events: readonly WireEvent[]) => void
  #position: number
  /** What has happened after `#since`, for the snapshot that is on its way; undefined when none is. */
  #waiting: WireEvent[] | undefined
  #since = 0

  constructor(
    filters: readonly string[],
    wantsSnapshot: boolean,
    position: number,
    deliver: (events: readonly WireEvent[]) => void,
  ) {
    this.filters = [...filters] // the array is the caller's
    this.wantsSnapshot = wantsSnapshot
    this.#deliver = deliver
    this.#position = position
    this.restart(position)
  }

  get needsSnapshot(): boolean {
    return this.#waiting !== undefined
  }

  matches(topic: string): boolean {
    return this.filters.some((filter) => matches(filter, topic))
  }

  /** Takes a whole batch, and leaves out what is not for it, or is not new. */
  take(events: readonly WireEvent[]): void {
    const position = this.#position
    const ours = events.filter(
      ({ topic, offset = Number.POSITIVE_INFINITY }) => offset > position && this.matches(topic),
    )
    this.mark(events.at(-1)?.offset ?? 0)
    if (ours.length === 0) return
    if (this.#waiting === undefined) this.#deliver(ours)
    else if (this.#waiting.length + ours.length <= mostWaiting) this.#waiting.push(...ours)
    else this.#wait()
  }

  /** Everything up to there has been said. */
  mark(offset: number): void {
    this.#position = Math.max(this.#position, offset)
  }

  /** Begins anew, at an offset of whatever log. */
  restart(offset: number): void {
    this.#position = offset
    if (this.wantsSnapshot) this.#wait()
  }

  /**
   * Ends the wait for a snapshot: `show` is called, and then comes what has happened
   * since. False if the snapshot, as of an offset, is too old for that.
   */
  complete(offset: number, show: () => void): boolean {
    const waiting = this.#waiting ?? []
    if (offset < this.#since) return false
    this.#waiting = undefined
    this.mark(offset)
    show()
    const later = waiting.filter((event) => event.offset === undefined || event.offset > offset)
    for (const batch of batchesOf(later)) this.#deliver(batch)
    return true
  }

  #wait(): void {
    this.#waiting = []
    this.#since = this.#position
  }
}
