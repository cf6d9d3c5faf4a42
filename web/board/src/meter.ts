import { Ages } from './ages.js'
import type { Mode } from './model.js'

/** What a mode has cost this tab while it was on. */
export class Tally {
  requests = 0
  /** Of answers with their heads, and of what is sent without, since no page can know those. */
  bytes = 0
  readonly ages: Ages = new Ages()
  /** How old what was shown may have been, each second. */
  readonly behind: Ages = new Ages()
  #ms = 0
  #since: number | undefined

  /** For how long the mode has been on, in milliseconds. */
  get ms(): number {
    return this.#ms + (this.#since === undefined ? 0 : performance.now() - this.#since)
  }

  on(): void {
    this.#since ??= performance.now()
  }

  off(): void {
    this.#ms = this.ms
    this.#since = undefined
  }
}

/** Loading the page, and changing over, costs about the same in both modes. */
const settleMs = 5_000

const newTallies = () => ({ polling: new Tally(), live: new Tally() })

/** Meter counts what each mode costs, in this tab, and keeps both side by side. */
export class Meter {
  tallies: Readonly<Record<Mode, Tally>> = newTallies()
  #mode: Mode | undefined
  #settling: ReturnType<typeof setTimeout> | undefined

  get tally(): Tally | undefined {
    return this.#mode && this.tallies[this.#mode]
  }

  /** Charges this mode, once what it takes to begin is over. */
  charge(mode: Mode): void {
    clearTimeout(this.#settling)
    this.tally?.off()
    this.#mode = undefined
    this.#settling = setTimeout(() => {
      this.#mode = mode
      this.tally?.on()
    }, settleMs)
  }

  /** Forgets what it has counted. */
  anew(): void {
    this.tallies = newTallies()
    this.tally?.on()
  }

  request(bytes: number): void {
    if (this.tally === undefined) return
    this.tally.requests++
    this.tally.bytes += bytes
  }

  bytes(bytes: number): void {
    if (this.tally) this.tally.bytes += bytes
  }
}

export const meter: Meter = new Meter()
