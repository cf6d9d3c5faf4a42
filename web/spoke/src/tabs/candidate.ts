/** Who is told how the election goes. */
export interface Voter {
  /** The highest term that it has heard of. */
  term(): number
  elected(term: number): void
  /** The lock was taken away, or given up. */
  deposed(): void
}

/**
 * Candidate stands for the lock that makes a tab the leader. A page that is frozen
 * keeps its lock, so it can be taken away; the term tells who came later.
 */
export class Candidate {
  readonly #name: string
  readonly #voter: Voter
  #queued: AbortController | undefined
  #release: (() => void) | undefined

  constructor(name: string, voter: Voter) {
    this.#name = name
    this.#voter = voter
  }

  /** Queues for the lock. */
  stand(): void {
    if (this.#queued !== undefined || this.#release !== undefined) return
    const queued = new AbortController()
    this.#queued = queued
    this.#request({ signal: queued.signal })
  }

  /** Takes the lock away from who holds it. */
  steal(): void {
    this.withdraw()
    this.#request({ steal: true })
  }

  /** Gives up the lock and queues for it again. */
  giveUp(): void {
    this.withdraw()
    this.#voter.deposed()
    this.stand()
  }

  /** Gives up the lock, or the place in the queue. */
  withdraw(): void {
    this.#queued?.abort()
    this.#queued = undefined
    this.#release?.()
    this.#release = undefined
  }

  #request(options: LockOptions): void {
    let release: (() => void) | undefined
    const held = () =>
      new Promise<void>((resolve) => {
        release = resolve
        this.#queued = undefined
        this.#release = resolve
        this.#voter.elected(this.#nextTerm())
      })
    navigator.locks.request(this.#name, options, held).catch(() => {
      // Stolen, or the request was called off.
      if (release === undefined || this.#release !== release) return
      this.giveUp()
    })
  }

  /** A term above all before it: the lock keeps others from taking the same. */
  #nextTerm(): number {
    const known = this.#voter.term()
    try {
      const term = Math.max(known, Number(localStorage.getItem(this.#name)) || 0) + 1
      localStorage.setItem(this.#name, String(term))
      return term
    } catch {
      return Math.max(known + 1, Date.now()) // a page without storage
    }
  }
}
