import { beacon } from '../leaving.js'
import { HubError, isPassing } from '../problem.js'
import { type Draft, randomId } from '../publisher.js'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'

/** What it takes to publish, whatever the types of the spoke are. */
export type Publishing = Pick<Spoke<EventMap>, 'batch' | 'http' | 'state'>

export interface BatcherOptions {
  /** How long an event waits for others at most; 0 sends it at once. */
  readonly everyMs: number
  /** How many are sent together at most. */
  readonly most: number
  /** Asked before each batch: if not, what waits is dropped. */
  readonly may?: () => boolean
  /** So many will never be sent. */
  readonly dropped: (count: number) => void
}

/** What waits is as it was when it was added. */
interface Item {
  readonly json: string
  readonly bytes: number
}

/** A browser lets a page leave 64 KiB behind: two batches, whatever else is under way. */
const batchBytes = 32_000
/** How many batches wait at most, while the hub cannot be reached; then the oldest events go. */
const mostBatches = 10
const againMs = 15_000
/** For how long a batch is tried before it waits again. */
const patienceMs = 20_000

/**
 * Batcher publishes events in batches, one after the other. What cannot be sent waits,
 * and what the hub refuses is dropped: another try would not change its mind.
 */
export class Batcher {
  readonly #spoke: Publishing
  readonly #options: BatcherOptions
  #waiting: Item[] = []
  #sending: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(spoke: Publishing, options: BatcherOptions) {
    this.#spoke = spoke
    this.#options = options
  }

  /** Whether everything has been sent. */
  get idle(): boolean {
    return this.#sending === undefined && this.#waiting.length === 0
  }

  add(draft: Draft<EventMap>): void {
    const { everyMs, most, dropped } = this.#options
    const item = itemOf({ ...draft, id: randomId() }) // what is sent again is stored once
    if (item === undefined || item.bytes > batchBytes) return dropped(1)
    const waiting = this.#waiting
    waiting.push(item)
    while (waiting.length > most * mostBatches || bytesOf(waiting) > batchBytes * mostBatches) {
      waiting.shift()
      dropped(1)
    }
    if (everyMs === 0 || waiting.length >= most || bytesOf(waiting) >= batchBytes) void this.flush()
    else this.#arm(everyMs)
  }

  /** Sends what waits, and resolves when there is nothing more, or it has to wait again. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#all().finally(() => {
      this.#sending = undefined
    })
    return this.#sending
  }

  /** The page is left: a batch goes by a request that outlives it, and another by a beacon. */
  leave(): void {
    const last = this.#take()
    if (last.length > 0) void this.#send(last)
    const more = this.#take()
    if (more.length > 0 && !beacon(this.#spoke.http, 'events', `[${more.map(({ json }) => json)}]`)) {
      this.#options.dropped(more.length)
    }
  }

  /** Sends what waits, for the last time. */
  close(): void {
    void this.flush().then(() => {
      clearTimeout(this.#timer)
      this.#drop()
    })
  }

  async #all(): Promise<void> {
    await Promise.resolve() // what is added together goes together
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      if (await this.#send(batch)) continue
      this.#arm(Math.max(this.#options.everyMs, againMs))
      return
    }
  }

  /** Says whether the batch is done with. */
  async #send(batch: readonly Item[]): Promise<boolean> {
    try {
      await this.#spoke.batch(batch.map(draftOf), { patienceMs })
    } catch (error) {
      if (mayPass(error)) {
        this.#waiting.unshift(...batch)
        return false
      }
      this.#options.dropped(batch.length)
    }
    return true
  }

  #take(): Item[] {
    if (this.#options.may?.() === false) this.#drop()
    let count = 0
    for (let bytes = 0; count < Math.min(this.#options.most, this.#waiting.length); count++) {
      bytes += this.#waiting[count]?.bytes ?? 0
      if (bytes > batchBytes) break
    }
    return this.#waiting.splice(0, count)
  }

  #drop(): void {
    if (this.#waiting.length > 0) this.#options.dropped(this.#waiting.length)
    this.#waiting = []
  }

  #arm(ms: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), ms)
  }
}

function draftOf({ json }: Item): Draft<EventMap> {
  return JSON.parse(json)
}

function bytesOf(batch: readonly Item[]): number {
  return batch.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Nothing if it is no JSON. */
function itemOf(draft: Draft<EventMap>): Item | undefined {
  try {
    const json = JSON.stringify(draft)
    return { json, bytes: new TextEncoder().encode(json).length }
  } catch {
    return undefined
  }
}

/** Whether it may be sent later: not what a level does without, or is refused for good. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof HubError)) return true
  const { code, problem } = error
  if (code === 'degraded') return false
  return code === 'unauthorised' || isPassing({ kind: 'refused', problem, retryAfterMs: undefined })
}
