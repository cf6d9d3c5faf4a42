import type { Frame } from './frames.js'
import type { Http } from './http.js'
import { HubError, type Problem } from './problem.js'
import { explained, guarded } from './reporting.js'
import { type EventOf, type Schemas, validated } from './schema.js'
import { Snapshots } from './snapshots.js'
import { type SubscribeOptions, type Subscriber, Subscription } from './subscription.js'
import { isBefore, parseCursor, type ResetReason, type WireEvent } from './wire.js'

export interface InboxOptions<Events extends object> {
  readonly http: Http
  readonly schemas: Schemas<Events>
  readonly cursor: string | undefined
  readonly fail: (error: unknown) => void
}

/**
 * Inbox hands frames to those who have subscribed. It stands at a cursor: all up to
 * there has been handed over, and whoever subscribes begins there.
 */
export class Inbox<Events extends object> {
  readonly #options: InboxOptions<Events>
  readonly #all = new Map<Subscription, Subscriber<Events>>()
  readonly #snapshots: Snapshots
  #cursor: string | undefined
  #covered: ReadonlySet<string> = new Set()

  constructor(options: InboxOptions<Events>) {
    this.#options = options
    this.#cursor = options.cursor
    this.#snapshots = new Snapshots(options.http, (message, cause) => options.fail(explained(message, cause)))
  }

  get cursor(): string | undefined {
    return this.#cursor
  }

  /** The filters of all, each once, in the order in which they came. */
  get filters(): string[] {
    return [...new Set([...this.#all.keys()].flatMap(({ filters }) => filters))]
  }

  add(filters: readonly string[], subscriber: Subscriber<Events>, options: SubscribeOptions): Subscription {
    const here = parseCursor(this.#cursor)
    const from = parseCursor(options.cursor)
    const foreign: ResetReason | undefined =
      here === undefined || options.cursor === undefined
        ? undefined
        : from === undefined
          ? 'malformed'
          : from.epoch !== here.epoch
            ? 'foreign-epoch'
            : undefined
    const position = (foreign === undefined && from ? from.offset : here?.offset) ?? 0
    const subscription = new Subscription(filters, options.snapshot === true, position, (events) =>
      this.#deliver(subscription, events),
    )
    this.#all.set(subscription, subscriber)
    if (foreign !== undefined)
      queueMicrotask(() => this.#all.has(subscription) && this.#call(() => subscriber.reset?.(foreign)))
    // Who joins hears all from here on.
    if (here !== undefined && options.cursor === undefined)
      queueMicrotask(() => this.#all.has(subscription) && this.#call(() => subscriber.begun?.()))
    this.#cursor ??= options.cursor
    return subscription
  }

  remove(subscription: Subscription): void {
    this.#all.delete(subscription)
    this.#snapshots.stop(subscription)
  }

  take(frame: Frame): void {
    const offset = parseCursor(frame.cursor)?.offset ?? 0
    switch (frame.kind) {
      case 'batch':
        for (const subscription of this.#all.keys()) subscription.take(frame.events)
        break
      case 'mark':
        for (const subscription of this.#all.keys()) subscription.mark(offset)
        break
      case 'verdict':
        this.#judge(frame.sync.status, offset, frame.sync.reason)
    }
    if (frame.kind === 'verdict' || !isBefore(frame.cursor, this.#cursor)) this.#cursor = frame.cursor ?? this.#cursor
    if (frame.kind === 'verdict') this.#fetch()
  }

  /** These filters are in force, so that snapshots can be joined. */
  covers(filters: readonly string[]): void {
    this.#covered = new Set(filters)
    this.#fetch()
  }

  /** Fetches the snapshots that are waited for. Without a cursor nobody knows from where on. */
  #fetch(): void {
    if (this.#cursor === undefined) return
    for (const subscription of this.#all.keys()) {
      if (!subscription.needsSnapshot || !subscription.filters.every((filter) => this.#covered.has(filter))) continue
      this.#snapshots.fetch(
        subscription,
        (cursor, events) => this.#show(subscription, cursor, events),
        (problem) => this.#end(subscription, problem),
      )
    }
  }

  /** Ends the subscriptions that cannot be had. */
  refuse(filters: readonly string[], problem: Problem): void {
    for (const subscription of this.#all.keys())
      if (subscription.filters.some((filter) => filters.includes(filter))) this.#end(subscription, problem)
  }

  #end(subscription: Subscription, problem: Problem): void {
    const subscriber = this.#all.get(subscription)
    this.remove(subscription)
    if (subscriber) this.turnAway(subscriber, problem)
  }

  /** Tells who subscribes that it is of no use. */
  turnAway(subscriber: Subscriber<Events>, problem: Problem): void {
    const error = new HubError(problem)
    this.#call(() => (subscriber.refused ? subscriber.refused(error) : this.#options.fail(error)))
  }

  /** Forgets where it stands: nobody has subscribed, and who does begins anew. */
  forget(): void {
    this.#cursor = undefined
    this.#covered = new Set()
  }

  clear(): void {
    for (const subscription of this.#all.keys()) this.remove(subscription)
  }

  #judge(status: 'live' | 'recovered' | 'reset', offset: number, reason: ResetReason | undefined): void {
    for (const [subscription, subscriber] of this.#all) {
      if (status === 'live') {
        subscription.mark(offset)
        this.#call(() => subscriber.begun?.())
      }
      if (status !== 'reset') continue
      this.#snapshots.stop(subscription)
      subscription.restart(offset)
      this.#call(() => subscriber.reset?.(reason))
    }
  }

  #show(subscription: Subscription, cursor: string, events: readonly WireEvent[]): boolean {
    const at = parseCursor(cursor)
    if (at === undefined || at.epoch !== parseCursor(this.#cursor)?.epoch) return false
    return subscription.complete(at.offset, () => {
      const valid = this.#valid(events)
      this.#call(() => this.#all.get(subscription)?.snapshot?.(valid))
    })
  }

  #deliver(subscription: Subscription, events: readonly WireEvent[]): void {
    const valid = this.#valid(events)
    if (valid.length > 0) this.#call(() => this.#all.get(subscription)?.events(valid))
  }

  #valid(events: readonly WireEvent[]): EventOf<Events>[] {
    const valid: EventOf<Events>[] = []
    for (const event of events) this.#call(() => valid.push(validated(event, this.#options.schemas)))
    return valid
  }

  /** What is thrown by one stops no other. */
  #call(f: () => unknown): void {
    guarded(f, this.#options.fail)
  }
}
