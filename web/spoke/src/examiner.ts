import type { Http } from './http.js'
import { HubError, type Problem } from './problem.js'
import { parametersOf } from './transports/transport.js'

export interface Refusal {
  readonly filter: string
  readonly problem: Problem
}

/** Refusals that one filter alone can be to blame for. */
const blames: ReadonlySet<string> = new Set(['invalid', 'forbidden'])

/** Examiner finds out which filters the hub refuses by asking for a page of each. */
export class Examiner {
  readonly #http: Http
  #calling: AbortController | undefined

  constructor(http: Http) {
    this.#http = http
  }

  /** Calls `done` with those that are to blame for a refusal of all. */
  examine(filters: readonly string[], problem: Problem, done: (refused: readonly Refusal[]) => void): void {
    this.stop()
    const calling = new AbortController()
    this.#calling = calling
    this.#blame(filters, problem, calling.signal).then((refused) => {
      if (!calling.signal.aborted) done(refused)
    })
  }

  stop(): void {
    this.#calling?.abort()
    this.#calling = undefined
  }

  async #blame(filters: readonly string[], problem: Problem, signal: AbortSignal): Promise<Refusal[]> {
    // Of too many it is the last that came.
    if (problem.code === 'too-many') return filters.slice(-1).map((filter) => ({ filter, problem }))
    const refused: Refusal[] = []
    for (const filter of filters) {
      try {
        const parameters = parametersOf({ filters: [filter], cursor: undefined, types: [] })
        await this.#http.json(this.#http.url('events', parameters), { signal })
      } catch (error) {
        if (error instanceof HubError && blames.has(error.code)) refused.push({ filter, problem: error.problem })
      }
    }
    return refused
  }
}
