import type { Http } from './http.js'
import { failureOfThrown, HubError, isPassing, type Problem } from './problem.js'
import type { Subscription } from './subscription.js'
import type { WireEvent } from './wire.js'

interface StateAnswer {
  readonly cursor: string
  readonly items: readonly (Omit<WireEvent, 'offset'> & { readonly version: number })[]
}

/** Says whether a snapshot is of use. */
type Show = (cursor: string, events: readonly WireEvent[]) => boolean

type Refused = (problem: Problem) => void

const againMs = 1_000
const againCapMs = 30_000

/** Snapshots fetches the state for those who wait for it, until they have it. */
export class Snapshots {
  readonly #http: Http
  readonly #warn: (message: string, cause: unknown) => void
  readonly #underWay = new Map<Subscription, AbortController>()

  constructor(http: Http, warn: (message: string, cause: unknown) => void) {
    this.#http = http
    this.#warn = warn
  }

  /** Fetches, and again while `show` says that it is of no use. */
  fetch(subscription: Subscription, show: Show, refused: Refused): void {
    if (this.#underWay.has(subscription)) return
    const calling = new AbortController()
    this.#underWay.set(subscription, calling)
    void this.#until(subscription, show, refused, calling.signal)
  }

  stop(subscription: Subscription): void {
    this.#underWay.get(subscription)?.abort()
    this.#underWay.delete(subscription)
  }

  async #until(subscription: Subscription, show: Show, refused: Refused, signal: AbortSignal): Promise<void> {
    const url = this.#http.url(
      'state',
      subscription.filters.map((filter) => ['topic', filter] as const),
    )
    for (let pause = againMs; ; pause = Math.min(pause * 2, againCapMs)) {
      try {
        const { cursor, items } = await this.#http.json<StateAnswer>(url, { signal })
        if (signal.aborted) return
        const events = items.map((item) => ({ ...item, offset: item.version }))
        if (show(cursor, events)) break
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof HubError && isFinal(error)) return refused(error.problem)
        this.#warn(`the state of ${subscription.filters.join(', ')} cannot be had, and is asked for again`, error)
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())))
      if (signal.aborted) return
    }
    this.#underWay.delete(subscription)
  }
}

/** Who one is may change, and is for the connection to find out. */
function isFinal(error: HubError): boolean {
  return error.code !== 'unauthorised' && !isPassing(failureOfThrown(error))
}
