/** How many are remembered: the latest. */
const most = 500

/** Ages are how old changes were when they came onto the screen, in milliseconds. */
export class Ages {
  readonly #latest: number[] = []
  count = 0

  add(ms: number): void {
    this.count++
    this.#latest.push(Math.max(0, ms))
    if (this.#latest.length > most) this.#latest.shift()
  }

  /** The age that a share of them, 0 to 1, does not exceed; undefined if there are none. */
  quantile(share: number): number | undefined {
    const sorted = [...this.#latest].sort((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  }
}
