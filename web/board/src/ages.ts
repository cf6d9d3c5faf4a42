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

/**
 * Clock tells the server's time, from the Date of its answers. That is whole seconds,
 * and the way takes time; but each answer says between what the difference of the
 * clocks is, and all of them together say it well.
 */
export class Clock {
  #least = Number.NEGATIVE_INFINITY
  #most = Number.POSITIVE_INFINITY

  /** An answer's Date, and when its request was sent and its head had come, by the page's clock. */
  learn(date: number, sent: number, come: number): void {
    const least = date - come
    const most = date + 1_000 - sent
    this.#least = Math.max(this.#least, least)
    this.#most = Math.min(this.#most, most)
    if (this.#least <= this.#most) return
    // One of the clocks was set.
    this.#least = least
    this.#most = most
  }

  /** How much the server's clock is ahead, in milliseconds; 0 while nothing is known. */
  get ahead(): number {
    return Number.isFinite(this.#least) ? (this.#least + this.#most) / 2 : 0
  }

  now(): number {
    return Date.now() + this.ahead
  }
}
