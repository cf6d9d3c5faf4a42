/** Better than this the server's time need not be known, and on most networks cannot. */
const enoughMs = 20
const mostProbes = 10

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

  /** How wrong `ahead` can be, either way. */
  get doubt(): number {
    return (this.#most - this.#least) / 2
  }

  now(): number {
    return Date.now() + this.ahead
  }

  /**
   * Asks a few times, each time when the server's second ends if `ahead` is right:
   * which second it is then halves the doubt. `probe` asks and calls `learn`.
   */
  async settle(probe: () => Promise<void>): Promise<void> {
    for (let i = 0; i < mostProbes && this.doubt > enoughMs; i++) {
      const untilNext = Number.isFinite(this.doubt) ? 1_000 - (this.now() % 1_000) : 0
      await new Promise((resolve) => setTimeout(resolve, untilNext))
      await probe()
    }
  }
}
