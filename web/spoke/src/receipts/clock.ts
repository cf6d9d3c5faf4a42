/** How the hub's clock stands to ours, in milliseconds. */
export interface Estimate {
  /** The hub's less ours. */
  readonly offset: number
  /** How far that may be off. */
  readonly uncertainty: number
}

interface Sample {
  readonly at: number
  readonly ms: number
}

/** For so long heartbeats and round trips count: on a bad network few of them are quick. */
const keptMs = 600_000
const most = 64
/** By how much clocks drift at most, of the time that passes: an older heartbeat has to be so much better. */
const drift = 50e-6
/** Browsers round times, and the hub's are read to the millisecond. */
const coarseMs = 1

/**
 * Clock compares ours with the hub's, by what heartbeats say. The least delayed of them
 * says the most: it is behind by the quickest way down, and half of the quickest round
 * trip makes up for that.
 */
export class Clock {
  #beats: Sample[] = []
  #trips: Sample[] = []

  /** A heartbeat of the time `hub` came at a time of ours. */
  beat(hub: number, at: number): void {
    this.#beats = kept(this.#beats, { at, ms: hub - at })
  }

  /** A request that was answered at a time of ours had taken so long. */
  trip(ms: number, at: number): void {
    this.#trips = kept(this.#trips, { at, ms })
  }

  /** Nothing before both a heartbeat and a round trip. */
  estimate(now: number): Estimate | undefined {
    const beats = this.#beats.map(({ at, ms }) => ({ ms, doubt: drift * (now - at) }))
    const [best] = beats.sort((a, b) => b.ms - b.doubt - (a.ms - a.doubt))
    if (best === undefined || this.#trips.length === 0) return undefined
    const half = Math.min(...this.#trips.map(({ ms }) => ms)) / 2
    return { offset: best.ms + half, uncertainty: half + coarseMs + best.doubt }
  }

  /** One of the clocks was set. */
  forget(): void {
    this.#beats = []
  }
}

function kept(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples.filter(({ at }) => sample.at - at < keptMs), sample].slice(-most)
}
