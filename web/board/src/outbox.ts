import { parseEntry } from './entry.js'
import { newId } from './id.js'
import type { Card } from './model.js'
import { hasWords, subjectOf, type Write } from './overlay.js'
import { Store } from './store.js'

/** A write that waits: to be sent, or for somebody to decide. */
export interface Entry {
  readonly key: string
  readonly write: Write
  /** It may still be taken back until then, in milliseconds of Date.now. */
  readonly notBefore?: number
  /** Others have changed the same, to this: nothing is sent until somebody has decided. */
  readonly conflict?: Card
  /** It cannot be done: what was written stays here until somebody has dealt with that. */
  readonly failed?: Failure
  /** There was no room to keep it: it lasts as long as this page, which sends it. */
  readonly unkept?: true
}

/** What has become of a write that was sent. */
export type Outcome =
  /** The server has it; `rev` is the card's since, if it is by ourselves. */
  | { readonly kind: 'done'; readonly rev?: number }
  /** There is no answer, or one that may be another later. */
  | { readonly kind: 'later'; readonly afterMs: number }
  | { readonly kind: 'conflict'; readonly current: Card }
  | Failure

export type Failure =
  | { readonly kind: 'refused'; readonly why: string }
  /** What it is about is not there any more. */
  | { readonly kind: 'gone' }

export interface OutboxOptions {
  readonly user: string
  /** Sends a write, which has the same id of its own whenever it is sent again. */
  readonly send: (write: Write, id: string) => Promise<Outcome>
  /** Hears of writes that cannot be done, and held no words. */
  readonly undone: (failure: Failure) => void
}

const most = 200
/** Longer than any write is held back to be taken back. */
const mostDelayMs = 10_000
const firstPauseMs = 1_000
const pauseCapMs = 15_000

/**
 * Outbox keeps what was written until the server has it: in localStorage, so over
 * reloads as well, and for all tabs of the browser, of which one sends. Writes about
 * the same thing go in their order; one that waits for a decision holds up only those
 * about the same. Every write bears to be sent twice. What cannot be kept for want of
 * room is sent by the tab that has it.
 */
export class Outbox {
  /** What waits. */
  readonly entries: Store<readonly Entry[]> = new Store<readonly Entry[]>([])
  /** What cannot be done. */
  readonly failed: Store<readonly Entry[]> = new Store<readonly Entry[]>([])
  /** Whether there is trouble in sending them. */
  readonly stuck: Store<boolean> = new Store(false)
  readonly #options: OutboxOptions
  readonly #prefix: string
  readonly #tries = new Map<string, number>()
  readonly #stop = new AbortController()
  #all: readonly Entry[] = []
  #leads = false
  #wake: () => void = () => {}

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#prefix = `board write ${options.user} `
    this.#set(stored(this.#prefix))
    const { signal } = this.#stop
    window.addEventListener('storage', (event) => this.#heard(event), { signal })
    window.addEventListener('online', () => this.kick(), { signal })
    const running = this.#run(signal)
    const lead = () => {
      this.#leads = true
      this.#wake()
      return running
    }
    // The lock is asked for once and kept: the next tab has it when this one is gone.
    if (navigator.locks) navigator.locks.request(this.#prefix, { signal }, lead).catch(() => {})
    else void lead()
  }

  /** Keeps a write and sends it, at the earliest after so many milliseconds. Throws if too many wait. */
  add(write: Write, afterMs = 0): string {
    if (this.#all.length >= most)
      throw new Error(`${most} changes wait to be sent already; this one can be made once some are through`)
    // After all others, whatever has become of the clock.
    const at = Math.max(Date.now(), ...this.#all.map(({ key }) => this.#timeOf(key) + 1))
    const key = `${this.#prefix}${at.toString(36)} ${newId().slice(0, 8)}`
    this.#put({ key, write, ...(afterMs > 0 && { notBefore: Date.now() + afterMs }) })
    return key
  }

  /** Takes a write back. */
  remove(key: string): void {
    localStorage.removeItem(key)
    this.#tries.delete(key)
    this.#set(this.#all.filter((entry) => entry.key !== key))
  }

  /** Puts another write in the place of one: what somebody has decided. */
  decide(key: string, write: Write | undefined): void {
    if (write) this.#put({ key, write })
    else this.remove(key)
  }

  /** Tries now what waits for its next try. */
  kick(): void {
    this.#tries.clear()
    this.#wake()
  }

  close(): void {
    this.#stop.abort()
    this.#wake()
  }

  #waits(key: string): boolean {
    return this.entries.value.some((entry) => entry.key === key)
  }

  #idOf(key: string): string {
    return key.slice(this.#prefix.length).replace(' ', '-')
  }

  #timeOf(key: string): number {
    return Number.parseInt(key.slice(this.#prefix.length), 36) || 0
  }

  #set(all: readonly Entry[]): void {
    this.#all = all
    this.entries.set(all.filter(({ failed }) => failed === undefined))
    this.failed.set(all.filter(({ failed }) => failed !== undefined))
  }

  #put(entry: Entry): void {
    try {
      localStorage.setItem(entry.key, JSON.stringify(entry))
      this.#show(entry)
    } catch {
      this.#show({ ...entry, unkept: true })
    }
  }

  #show(entry: Entry): void {
    const others = this.#all.filter(({ key }) => key !== entry.key)
    this.#set([...others, entry].sort((a, b) => (a.key < b.key ? -1 : 1)))
    this.#wake()
  }

  #heard({ key, newValue }: StorageEvent): void {
    if (!key?.startsWith(this.#prefix)) return
    const entry = parseEntry(key, newValue)
    if (entry) this.#show(entry)
    else this.#set(this.#all.filter((each) => each.key !== key))
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const entry = this.#next()
      if (entry === undefined) {
        this.stuck.set(false)
        await this.#pause(this.#untilNext())
        continue
      }
      try {
        await this.#send(entry)
      } catch (error) {
        // None ends the sending of the others.
        const { key, write } = entry
        if (this.#waits(key)) this.#put({ key, write, failed: { kind: 'refused', why: String(error) } })
      }
    }
  }

  async #send(entry: Entry): Promise<void> {
    const outcome = await this.#options.send(entry.write, this.#idOf(entry.key))
    this.stuck.set(outcome.kind === 'later')
    if (outcome.kind !== 'later') return this.#settle(entry, outcome)
    const tries = (this.#tries.get(entry.key) ?? 0) + 1
    this.#tries.set(entry.key, tries)
    const pause = Math.min(firstPauseMs * 2 ** (tries - 1), pauseCapMs) * (0.75 + Math.random() / 2)
    await this.#pause(Math.max(pause, outcome.afterMs))
  }

  /** Of each thing the first that waits, if this tab may send it now or later. */
  #firsts(): Entry[] {
    const firsts = new Map<string, Entry>()
    for (const entry of this.entries.value) {
      const subject = subjectOf(entry.write)
      if (!firsts.has(subject)) firsts.set(subject, entry)
    }
    return [...firsts.values()].filter(
      ({ conflict, unkept }) => conflict === undefined && (this.#leads || unkept === true),
    )
  }

  /** The one that has been tried least, so that none holds up others. */
  #next(): Entry | undefined {
    const tries = ({ key }: Entry) => this.#tries.get(key) ?? 0
    return this.#firsts()
      .filter(({ notBefore }) => isDue(notBefore))
      .sort((a, b) => tries(a) - tries(b))[0]
  }

  #untilNext(): number | undefined {
    const times = this.#firsts().flatMap(({ notBefore }) => notBefore ?? [])
    return times.length === 0 ? undefined : Math.max(10, Math.min(...times) - Date.now())
  }

  #settle(entry: Entry, outcome: Exclude<Outcome, { kind: 'later' }>): void {
    const { key, write } = entry
    if (!this.#waits(key)) return
    if (outcome.kind === 'conflict') return this.#put({ key, write, conflict: outcome.current })
    if (outcome.kind !== 'done' && hasWords(write)) return this.#put({ key, write, failed: outcome })
    this.remove(key)
    if (outcome.kind !== 'done') return this.#options.undone(outcome)
    // A delete that was asked for after it knew of it. An edit does not need that: what
    // it was made to says what it knew of, and is merged if the rev is another.
    for (const later of this.entries.value) {
      const next = later.write
      if (next.do !== 'delete' || subjectOf(next) !== subjectOf(write) || outcome.rev !== next.rev + 1) continue
      this.#put({ ...later, write: { ...next, rev: outcome.rev } })
    }
  }

  #pause(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
      if (this.#stop.signal.aborted) this.#wake()
    })
  }
}

/** What is to wait for longer than anything does waits for a clock that was set back. */
function isDue(notBefore = 0): boolean {
  const ms = notBefore - Date.now()
  return ms <= 0 || ms > mostDelayMs
}

function stored(prefix: string): Entry[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .sort()
    .flatMap((key) => {
      const entry = parseEntry(key, localStorage.getItem(key))
      if (entry === undefined) localStorage.removeItem(key) // it was damaged
      return entry ?? []
    })
}
