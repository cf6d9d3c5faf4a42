import type { Http } from './http.js'
import { type Failure, failureOfThrown, HubError, type Problem } from './problem.js'
import { parametersOf } from './transports/transport.js'

export interface Refusal {
  readonly filters: readonly string[]
  readonly problem: Problem
}

/** Hears which filters are refused, or else why nothing of that is known, or none is to blame. */
type Done = (refused: readonly Refusal[], failure: Failure | undefined) => void

/** Examiner finds out which filters the hub refuses by asking for pages of fewer of them. */
export class Examiner {
  readonly #http: Http
  /** Refusals that one filter alone, or too many together, can be to blame for. */
  readonly #blames: ReadonlySet<string>
  #calling: AbortController | undefined

  constructor(http: Http) {
    this.#http = http
    // To who sends no token, what is not granted is unauthorised.
    this.#blames = new Set(['invalid', 'forbidden', 'too-many', ...(http.tokens.anonymous ? ['unauthorised'] : [])])
  }

  examine(filters: readonly string[], problem: Problem, done: Done): void {
    this.stop()
    const calling = new AbortController()
    const { signal } = calling
    this.#calling = calling
    const blamed = problem.code === 'too-many' ? this.#surplus(filters, problem, signal) : this.#halves(filters, signal)
    blamed
      .then(
        (all) => {
          // Where nothing is granted who one is may be to blame, and that may change.
          const none = all.reduce((n, one) => n + one.filters.length, 0) === filters.length
          const refused = none ? all.filter((one) => one.problem.code !== 'unauthorised') : all
          return { refused, failure: refused.length === 0 ? refusal(problem) : undefined }
        },
        (thrown: unknown) => ({ refused: [], failure: failureOfThrown(thrown) }),
      )
      .then(({ refused, failure }) => {
        if (!signal.aborted) done(refused, failure)
      })
  }

  stop(): void {
    this.#calling?.abort()
    this.#calling = undefined
  }

  /** Of too many it is the last that came: as few of them as leave room. */
  async #surplus(filters: readonly string[], problem: Problem, signal: AbortSignal): Promise<Refusal[]> {
    let fit = 0
    for (let over = filters.length; over - fit > 1; ) {
      const middle = (fit + over) >> 1
      if ((await this.#ask(filters.slice(0, middle), signal))?.code === 'too-many') over = middle
      else fit = middle
    }
    return [{ filters: filters.slice(fit), problem }]
  }

  async #guilty(filters: readonly string[], signal: AbortSignal): Promise<Refusal[]> {
    const problem = await this.#ask(filters, signal)
    if (problem === undefined) return []
    return filters.length > 1 ? this.#halves(filters, signal) : [{ filters, problem }]
  }

  async #halves(filters: readonly string[], signal: AbortSignal): Promise<Refusal[]> {
    const middle = (filters.length + 1) >> 1
    const halves = [filters.slice(0, middle), filters.slice(middle)].filter((half) => half.length > 0)
    return (await Promise.all(halves.map((half) => this.#guilty(half, signal)))).flat()
  }

  async #ask(filters: readonly string[], signal: AbortSignal): Promise<Problem | undefined> {
    try {
      await this.#http.json(this.#http.url('events', parametersOf({ filters, cursor: undefined, types: [] })), {
        signal,
      })
      return undefined
    } catch (error) {
      if (error instanceof HubError && this.#blames.has(error.code)) return error.problem
      throw error
    }
  }
}

function refusal(problem: Problem): Failure {
  return { kind: 'refused', problem, retryAfterMs: undefined }
}
