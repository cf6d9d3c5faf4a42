import { ConflictError, HubError, type Problem } from '../problem.js'
import type { Draft, Published, PublishOptions } from '../publisher.js'
import type { Failed, OutboxItem, SettleConflict } from './item.js'

/** Where items lie that are to be sent. */
export interface Desk<Events extends object> {
  /** What waits, in order. */
  items(): readonly OutboxItem<Events>[]
  /** Whether it is this tab that sends an item. */
  mine(item: OutboxItem<Events>): boolean
  sent(item: OutboxItem<Events>, published: Published): Promise<void>
  dropped(item: OutboxItem<Events>): Promise<void>
  changed(item: OutboxItem<Events>): Promise<void>
  /** Whether it pauses has changed. */
  paused(): void
}

export interface SenderOptions<Events extends object> {
  readonly desk: Desk<Events>
  readonly publish: (drafts: readonly Draft<Events>[], options: PublishOptions) => Promise<Published>
  readonly conflictOf: (item: OutboxItem<Events>) => SettleConflict<Events> | undefined
}

const mostLanes = 4
const mostRebases = 3
/** After that the hub does not know any more what it has had: sent again it could be stored twice. */
const mostAgeMs = 24 * 60 * 60_000
const tooOld = 'it has waited for more than a day: the hub may have it, and would not know it again'

/** Sender sends what waits, lane by lane in order, and decides what becomes of what is refused. */
export class Sender<Events extends object> {
  readonly #options: SenderOptions<Events>
  readonly #busy = new Map<string, AbortController>()
  /** What waits for an answer, or for its next try. */
  readonly #trying = new Set<AbortController>()
  #paused: Problem | undefined
  #closed = false

  constructor(options: SenderOptions<Events>) {
    this.#options = options
  }

  /** Why nothing is sent: who is signed in is refused. */
  get paused(): Problem | undefined {
    return this.#paused
  }

  /** Sends the first of every lane that nothing is under way of. */
  pass(): void {
    if (this.#paused || this.#closed) return
    const { desk } = this.#options
    const lanes = new Set(this.#busy.keys())
    for (const item of desk.items()) {
      if (this.#busy.size >= mostLanes) return
      if (lanes.has(item.lane)) continue
      lanes.add(item.lane)
      if (desk.mine(item)) void this.#send(item)
    }
  }

  resume(): void {
    if (this.#paused) {
      this.#paused = undefined
      this.#options.desk.paused()
    }
    this.pass()
  }

  /** Tries at once what waits for its next try: the hub is there again. */
  hurry(): void {
    for (const under of this.#trying) under.abort()
    this.resume()
  }

  /** Ends what is under way and not this tab's any more. It stays on the desk. */
  yield(): void {
    const { desk } = this.#options
    for (const [lane, under] of this.#busy) {
      const item = desk.items().find((first) => first.lane === lane)
      if (!item || !desk.mine(item)) under.abort()
    }
  }

  close(): void {
    this.#closed = true
    for (const under of this.#busy.values()) under.abort()
  }

  async #send(item: OutboxItem<Events>): Promise<void> {
    const under = new AbortController()
    this.#busy.set(item.lane, under)
    const left = item.at + mostAgeMs - Date.now()
    try {
      if (left <= 0) await this.#giveUp(item, { reason: tooOld })
      else {
        this.#trying.add(under)
        const published = this.#options.publish(item.drafts, { signal: under.signal, patienceMs: left })
        await this.#options.desk.sent(item, await published.finally(() => this.#trying.delete(under)))
      }
    } catch (error) {
      if (!under.signal.aborted) await this.#refused(item, error, under.signal)
    } finally {
      this.#busy.delete(item.lane)
      this.pass()
    }
  }

  async #refused(item: OutboxItem<Events>, error: unknown, signal: AbortSignal): Promise<void> {
    if (!(error instanceof HubError)) return this.#giveUp(item, { reason: reasonOf(error) })
    const { problem } = error
    if (problem.status === 401) {
      this.#paused = problem
      this.#options.desk.paused()
      return
    }
    if (!(error instanceof ConflictError)) return this.#giveUp(item, { reason: problem.detail, problem })
    try {
      await this.#settle(item, error, signal)
    } catch (thrown) {
      await this.#giveUp(item, { reason: reasonOf(thrown), problem })
    }
  }

  async #settle(item: OutboxItem<Events>, error: ConflictError, signal: AbortSignal): Promise<void> {
    const { desk, conflictOf } = this.#options
    const settle = item.rebases < mostRebases ? conflictOf(item) : undefined
    const settled = await settle?.(item, error)
    if (signal.aborted) return
    if (settled === 'drop') return desk.dropped(item)
    if (settled === undefined) return this.#giveUp(item, { reason: error.message, problem: error.problem })
    const { drafts, note } = 'drafts' in settled ? settled : { drafts: settled, note: item.note }
    const named = drafts.map((draft, i) => ({ ...draft, id: item.drafts[i]?.id ?? draft.id ?? `${item.id}-${i}` }))
    await desk.changed({ ...item, drafts: named, note, rebases: item.rebases + 1 })
  }

  #giveUp(item: OutboxItem<Events>, failure: Failed): Promise<void> {
    return this.#options.desk.changed({ ...item, failure })
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
