import { Listeners } from '../listeners.js'
import type { Ended, OutboxItem } from '../outbox/item.js'
import { type Conflict, ConflictError, type HubError } from '../problem.js'
import { type Draft, randomId } from '../publisher.js'
import type { EventOf } from '../schema.js'
import { isBefore, parseCursor, type ResetReason } from '../wire.js'
import type { Followed, LiveState, LiveStateOptions } from './index.js'
import { Ledger, type LiveItem, type Overlay } from './ledger.js'
import { keepMine, mergeFields } from './merge.js'
import { draftOf, noteOf } from './rebase.js'

const mostRebases = 3
/** How often it is looked whether the cursor has passed what has not come back. */
const lookMs = 1_000
/** Of how many of our own events it is remembered that they have come back. */
const mostRemembered = 1_000

/** A change that is on its way to the hub. */
interface Change<Entity> {
  readonly id: string
  readonly key: string
  readonly type: string
  readonly change: Overlay<Entity>['show']
  readonly base: Entity | undefined
  readonly mine: Entity | undefined
  readonly ifVersion: number
}

/** Live is the state of one topic, with our own changes in it. */
export class Live<Events extends object, Entity> implements LiveState<Entity> {
  readonly #spoke: Followed<Events>
  readonly #options: LiveStateOptions<Events, Entity>
  readonly #apply: NonNullable<LiveStateOptions<Events, Entity>['apply']>
  readonly #ledger = new Ledger<Entity>()
  readonly #listeners: Listeners
  readonly #ends: readonly (() => void)[]
  /** The last change of each key: its version, unless it was merged; rejects if it is not stored. */
  readonly #lanes = new Map<string, Promise<number | undefined>>()
  /** Our own events that have come back. */
  readonly #back = new Set<string>()
  #items: ReadonlyMap<string, LiveItem<Entity>> = new Map()
  #ready = false
  #error: HubError | undefined
  /** The log that there was before, if it was replaced. */
  #past: string | undefined
  #look: ReturnType<typeof setInterval> | undefined
  #closed = false

  constructor(spoke: Followed<Events>, options: LiveStateOptions<Events, Entity>) {
    this.#spoke = spoke
    this.#listeners = new Listeners(spoke.report)
    this.#options = options
    this.#apply = options.apply ?? ((_, { data }) => data as Entity | undefined)
    const unsubscribe = spoke.subscribe(
      options.topic,
      {
        events: (events) => this.#take(events),
        snapshot: (events) => this.#replace(events),
        reset: (reason) => this.#reset(reason),
        refused: (error) => {
          this.#error = error
          this.#changed()
        },
      },
      { snapshot: true },
    )
    const unwatch = options.outbox?.watch((ended) => this.#readOutbox(ended))
    this.#ends = unwatch ? [unsubscribe, unwatch] : [unsubscribe]
    this.#readOutbox()
  }

  get items(): ReadonlyMap<string, LiveItem<Entity>> {
    return this.#items
  }

  get ready(): boolean {
    return this.#ready
  }

  get error(): HubError | undefined {
    return this.#error
  }

  watch(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async update(key: string, change: Overlay<Entity>['show'], options: { readonly type?: string } = {}): Promise<void> {
    const base = this.#items.get(key)?.data
    const id = randomId()
    const made: Change<Entity> = {
      id,
      key,
      type: options.type ?? this.#options.type,
      change,
      base,
      mine: change(base),
      ifVersion: this.#ledger.truth(key)?.version ?? 0,
    }
    this.#ledger.lay({ id, key, show: change })
    this.#changed()
    try {
      await (this.#options.outbox ? this.#enqueue(made) : this.#inLane(made))
    } catch (error) {
      if (this.#back.has(id)) return // it was stored, whatever has become of the answer
      this.#ledger.lift(id)
      this.#changed()
      throw error
    }
  }

  close(): void {
    this.#closed = true
    for (const end of this.#ends) end()
    clearInterval(this.#look)
    this.#listeners.clear()
  }

  async #enqueue({ base, ...change }: Change<Entity>): Promise<void> {
    const handle = this.#options.outbox?.enqueue(this.#draft(change), { chain: true, note: { base } })
    await handle?.stored
    await handle?.sent
  }

  /** Changes of one key wait for each other: each goes on from the version of the one before. */
  async #inLane(made: Change<Entity>): Promise<void> {
    const lane = this.#publish(made, this.#lanes.get(made.key))
    this.#lanes.set(made.key, lane)
    try {
      await lane
    } finally {
      if (this.#lanes.get(made.key) === lane) this.#lanes.delete(made.key)
    }
  }

  async #publish(made: Change<Entity>, before: Promise<number | undefined> | undefined): Promise<number | undefined> {
    let change = await this.#after(made, before)
    for (let rebases = 0; ; rebases++) {
      try {
        const { events, cursor } = await this.#spoke.publish(this.#draft(change))
        this.#stored(change.id, events[0]?.offset, cursor)
        this.#changed()
        return rebases === 0 ? events[0]?.version : undefined
      } catch (error) {
        const [conflict] = error instanceof ConflictError ? error.conflicts : []
        if (conflict === undefined || rebases === mostRebases) throw error
        change = await this.#rebased(change, conflict)
      }
    }
  }

  /** The change as it is after the one before it; one that was not stored is not to be in it. */
  async #after(made: Change<Entity>, before: Promise<number | undefined> | undefined): Promise<Change<Entity>> {
    try {
      return { ...made, ifVersion: (await before) ?? made.ifVersion }
    } catch {
      const truth = this.#ledger.truth(made.key)
      return { ...made, base: truth?.data, mine: made.change(truth?.data), ifVersion: truth?.version ?? 0 }
    }
  }

  async #rebased(change: Change<Entity>, { version, event }: Conflict): Promise<Change<Entity>> {
    const truth = this.#ledger.truth(change.key)
    const current = truth !== undefined && truth.version >= version
    const theirs = current ? truth.data : event && this.#apply(truth?.data, event as EventOf<Events>)
    const mine = await (this.#options.merge ?? mergeFields)(change.base, theirs, change.mine)
    this.#ledger.lay({ id: change.id, key: change.key, show: (entity) => keepMine(theirs, entity, mine) })
    this.#changed()
    return { ...change, base: theirs, mine, ifVersion: current ? truth.version : version }
  }

  #draft({ id, key, type, mine, ifVersion }: Omit<Change<Entity>, 'base'>): Draft<Events> {
    return draftOf({ topic: this.#options.topic, type, key, data: mine, id, ifVersion })
  }

  #take(events: readonly EventOf<Events>[]): void {
    for (const event of events) {
      const { key, id, offset = 0 } = event
      if (id !== undefined && this.#ledger.overlays.some((overlay) => overlay.id === id)) this.#remember(id)
      if (key === undefined) this.#ledger.passed(offset)
      else this.#ledger.take(key, offset, id, (entity) => this.#apply(entity, event))
    }
    this.#changed()
  }

  #replace(events: readonly EventOf<Events>[]): void {
    this.#liftStored(({ cursor }) => this.#isPast(cursor))
    this.#ledger.replace(
      events.map((event) => ({
        key: event.key ?? '',
        version: event.version ?? 0,
        data: this.#apply(undefined, event),
      })),
    )
    this.#ready = true
    this.#changed()
  }

  #reset(reason: ResetReason | undefined): void {
    this.#ready = false
    if (reason === 'foreign-epoch') this.#past = epochOf(this.#spoke.cursor)
    this.#changed()
  }

  /** Shows what waits in the outbox, also what other tabs and earlier pages have put there. */
  #readOutbox(ended?: Ended<Events>): void {
    const { outbox } = this.#options
    if (outbox === undefined) return
    const before = this.#ledger.overlays
    if (ended) this.#readEnded(ended)
    for (const item of outbox.items) {
      for (const { id = '', key, data } of this.#ours(item)) {
        const shown = before.some((overlay) => overlay.id === id)
        if (key === undefined || this.#back.has(id) || (shown && item.rebases === 0)) continue
        const { base } = noteOf<Entity>(item)
        this.#ledger.lay({ id, key, show: (entity) => keepMine(base, entity, data as Entity | undefined) })
      }
    }
    for (const item of outbox.givenUp) for (const { id = '' } of this.#ours(item)) this.#ledger.lift(id)
    if (this.#ledger.overlays !== before) this.#changed()
  }

  #readEnded({ item, published }: Ended<Events>): void {
    for (const [i, { topic, id = '' }] of item.drafts.entries()) {
      if (topic !== this.#options.topic) continue
      if (published) this.#stored(id, published.events[i]?.offset, published.cursor)
      else this.#ledger.lift(id)
    }
  }

  #ours(item: OutboxItem<Events>): readonly Draft<Events>[] {
    return item.drafts.filter(({ topic }) => topic === this.#options.topic)
  }

  #remember(id: string): void {
    this.#back.add(id)
    const [oldest] = this.#back
    if (this.#back.size > mostRemembered && oldest !== undefined) this.#back.delete(oldest)
  }

  /** Ends the overlays whose events are past and have not come: a schema has refused them, perhaps. */
  #lookForPassed(): void {
    if (!this.#ready) return
    const here = this.#spoke.cursor
    this.#liftStored(
      ({ cursor }) => this.#isPast(cursor) || (epochOf(cursor) === epochOf(here) && !isBefore(here, cursor)),
    )
    this.#changed()
  }

  /** The hub may have another log, and we not know it yet: offsets of two logs are not to be compared. */
  #stored(id: string, offset: number | undefined, cursor: string | undefined): void {
    const here = epochOf(cursor) === epochOf(this.#spoke.cursor)
    this.#ledger.stored(id, here ? offset : offset && Number.POSITIVE_INFINITY, cursor)
  }

  /** Whether it was stored in a log that is no more: then it does not come back. */
  #isPast(cursor: string | undefined): boolean {
    return this.#past !== undefined && epochOf(cursor) === this.#past
  }

  #liftStored(which: (overlay: Overlay<Entity>) => boolean): void {
    for (const overlay of this.#ledger.overlays) {
      if (overlay.offset !== undefined && which(overlay)) this.#ledger.lift(overlay.id)
    }
  }

  #changed(): void {
    this.#items = this.#ledger.view()
    const looks = !this.#closed && this.#ledger.overlays.some(({ offset }) => offset !== undefined)
    if (!looks) clearInterval(this.#look)
    this.#look = looks ? (this.#look ?? setInterval(() => this.#lookForPassed(), lookMs)) : undefined
    this.#listeners.tell()
  }
}

function epochOf(cursor: string | undefined): string | undefined {
  return parseCursor(cursor)?.epoch
}
