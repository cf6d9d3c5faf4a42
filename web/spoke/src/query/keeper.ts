import { notifyManager, type Query, type QueryCacheNotifyEvent, type QueryClient } from '@tanstack/query-core'
import type { EventOf } from '../schema.js'
import type { Spoke } from '../spoke.js'
import { earlier, isBefore } from '../wire.js'
import { beforeFrame } from './frame.js'
import { look, refused } from './silence.js'

/** What an event does to data, and as of when data is. */
export interface Effects<Events extends object, Data> {
  readonly filters: string | readonly string[]
  /**
   * What an event makes of the data. It has to bear the same event twice, and one
   * that the data has already: compare versions. Nothing, or no `apply`, fetches anew.
   */
  readonly apply?: ((data: Data, event: EventOf<Events>) => Data | undefined) | undefined
  /**
   * The hub's cursor as of which data was read, if whoever answers says so: then data
   * that a server has fetched is followed from there, and need not be fetched again.
   */
  readonly cursorOf?: ((data: Data) => string | undefined) | undefined
}

export interface Kept<Events extends object, Data> {
  /** May change while it is kept, but for the filters. */
  readonly effects: () => Effects<Events, Data>
  /** The queries that an event is about, or all. */
  readonly queries: (event?: EventOf<Events>) => readonly Query[]
}

/** A fetch that is under way. */
interface Fetching<Event> {
  /** What has come since it began; undefined if that was too much. */
  events: Event[] | undefined
  /** What is shown meanwhile, with all events. */
  data: unknown
  /** What it brings is not enough. */
  again: boolean
  /** What there was before is not enough. */
  readonly needed: boolean
}

type Action = Extract<QueryCacheNotifyEvent, { type: 'updated' }>['action']

/** Of how many events is remembered that they came during a fetch; more, and it is fetched again. */
const mostRemembered = 500
/** How many events wait for a frame. */
const mostWaiting = 1_000
/** Over how long fetches are spread that an event brings about in every browser. */
const spreadMs = 1_000

/**
 * Keeper keeps queries up to date with what is published.
 *
 * A fetch may have read what it brings before an event that has come since, so what
 * comes during a fetch is remembered, and applied again to what it brings, or to what
 * is left if it is called off. Where it is not known what was missed, it is fetched.
 */
export class Keeper<Events extends object, Data> {
  readonly #client: QueryClient
  readonly #spoke: Spoke<Events>
  readonly #kept: Kept<Events, Data>
  readonly #fetching = new Map<Query, Fetching<EventOf<Events>>>()
  readonly #soon = new Map<Query, ReturnType<typeof setTimeout>>()
  readonly #unsubscribe: () => void
  #waiting: EventOf<Events>[] = []
  #ended = false

  constructor(client: QueryClient, spoke: Spoke<Events>, kept: Kept<Events, Data>) {
    this.#client = client
    this.#spoke = spoke
    this.#kept = kept
    const known = kept.queries()
    let cursor: string | undefined
    const unknown: Query[] = []
    const joins = spoke.cursor !== undefined // then what is fetched from now on lacks nothing
    for (const query of known) {
      if (query.state.fetchStatus !== 'idle') this.#begin(query).again = true
      const asOf = this.#asOf(query)
      if (asOf !== undefined) cursor = earlier(cursor, asOf)
      else if (query.state.data !== undefined) unknown.push(query)
    }
    this.#unsubscribe = spoke.subscribe(
      kept.effects().filters,
      {
        events: (events) => this.#take(events),
        reset: () => this.#fetch(kept.queries()),
        refused: (error) => {
          refused.add(kept.queries)
          look(kept.queries())
          throw error // to be told as what goes wrong
        },
        ...(!joins && {
          begun: () => queueMicrotask(() => this.#fetch(kept.queries().filter((query) => this.#isDoubtful(query)))),
        }),
      },
      cursor === undefined ? {} : { cursor },
    )
    queueMicrotask(() => this.#fetch(unknown)) // when its fetches are heard of
  }

  /** The cache has changed. */
  updated(query: Query, action: Action): void {
    switch (action.type) {
      case 'fetch':
        this.#begin(query)
        return
      case 'success':
        if (!action.manual && this.#over(query)?.again && this.#isDoubtful(query)) this.#fetch([query])
        return
      case 'error':
        this.#fetching.delete(query)
        return
      case 'setState':
        // A fetch was called off, and all is as it was when it began; or data of another time is put here.
        if (this.#fetching.has(query)) {
          const over = this.#over(query)
          if (over?.again || over?.needed) this.#fetchSoon(query)
        } else if (this.#isDoubtful(query)) this.#fetch([query])
    }
  }

  /** A query has left the cache. */
  removed(query: Query): void {
    this.#fetching.delete(query)
    clearTimeout(this.#soon.get(query))
    this.#soon.delete(query)
  }

  end(): void {
    this.#flush()
    this.#unsubscribe()
    refused.delete(this.#kept.queries)
    for (const timer of this.#soon.values()) clearTimeout(timer)
    this.#soon.clear()
    this.#ended = true
  }

  #take(events: readonly EventOf<Events>[]): void {
    this.#waiting.push(...events)
    if (this.#waiting.length < mostWaiting) beforeFrame(this.#flush, this.#spoke.report)
    else notifyManager.batch(this.#flush)
  }

  readonly #flush = (): void => {
    const events = this.#waiting
    this.#waiting = []
    const about = new Map<Query, EventOf<Events>[]>()
    for (const event of events)
      for (const query of this.#about(event)) {
        const own = about.get(query)
        if (own) own.push(event)
        else about.set(query, [event])
      }
    for (const [query, own] of about) {
      this.#apply(query, own)
      const fetching = this.#fetching.get(query)
      if (fetching === undefined) continue
      fetching.data = query.state.data
      fetching.events?.push(...own)
      if ((fetching.events?.length ?? 0) <= mostRemembered) continue
      fetching.events = undefined
      fetching.again = true
    }
  }

  #about(event: EventOf<Events>): readonly Query[] {
    try {
      return this.#kept.queries(event)
    } catch (error) {
      this.#spoke.report(error) // and what it may be about is fetched
      for (const query of this.#kept.queries()) this.#fetchSoon(query)
      return []
    }
  }

  #apply(query: Query, events: readonly EventOf<Events>[]): void {
    const { apply } = this.#kept.effects()
    let data = query.state.data as Data | undefined
    const isGone = this.#client.getQueryCache().get(query.queryHash) !== query
    if (data === undefined || isGone) return
    try {
      for (const event of events) if (data !== undefined) data = apply?.(data, event)
    } catch (error) {
      this.#spoke.report(error) // and what cannot be applied is fetched
      data = undefined
    }
    if (data === undefined) this.#fetchSoon(query)
    else if (data !== query.state.data) this.#client.setQueryData(query.queryKey, data)
  }

  #begin(query: Query): Fetching<EventOf<Events>> {
    const before = this.#fetching.get(query)
    const needed = before?.again || before?.needed || query.state.isInvalidated
    const fetching: Fetching<EventOf<Events>> = { events: [], data: query.state.data, again: false, needed }
    this.#fetching.set(query, fetching)
    return fetching
  }

  /** A fetch is over: what has come meanwhile is applied to what is there now. */
  #over(query: Query): Fetching<EventOf<Events>> | undefined {
    const fetching = this.#fetching.get(query)
    if (fetching === undefined) return undefined
    this.#fetching.delete(query)
    const { events, data } = fetching
    if (events?.length) this.#apply(query, events)
    if (events === undefined && data !== undefined) this.#client.setQueryData(query.queryKey, data)
    return fetching
  }

  /** One that is under way is not called off, or steady events would let none come to its end. */
  #fetch(queries: readonly Query[]): void {
    const idle = new Set<Query>()
    for (const query of queries) {
      const fetching = this.#fetching.get(query)
      if (fetching) fetching.again = true
      else idle.add(query)
    }
    if (idle.size > 0 && !this.#ended)
      void this.#client.invalidateQueries({ predicate: (query) => idle.has(query) }, { cancelRefetch: false })
  }

  #fetchSoon(query: Query): void {
    if (this.#soon.has(query)) return
    const timer = setTimeout(
      () => {
        this.#soon.delete(query)
        this.#fetch([query])
      },
      100 + Math.random() * spreadMs,
    )
    this.#soon.set(query, timer)
  }

  #asOf(query: Query): string | undefined {
    const data = query.state.data as Data | undefined
    return data === undefined ? undefined : this.#kept.effects().cursorOf?.(data)
  }

  /** Whether there may have been events that its data has not, and that were not told. */
  #isDoubtful(query: Query): boolean {
    if (query.state.data === undefined) return this.#fetching.has(query)
    const asOf = this.#asOf(query)
    return asOf === undefined || (asOf !== this.#spoke.cursor && !isBefore(this.#spoke.cursor, asOf))
  }
}
