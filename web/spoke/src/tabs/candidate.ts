/** Who is told how the election goes. */
export interface Voter {
  /** The highest term that it has heard of. */
  term(): number
  elected(term: number): void
  /** The lock was taken away, or given up. */
  deposed(): void
  /** This page may have no locks. */
  barred(error: unknown): void
}

/** One for all names, since who was signed in is nobody's business later: terms have to rise, no more. */
const termKey = 'nave/1 term'

/**
 * Candidate stands for the lock that makes a tab the leader. A page that is frozen
 * keeps its lock, so it can be taken away; the term tells who came later.
 */
export class Candidate {
  readonly #name: string
  readonly #voter: Voter
  /** The request that counts: what comes of those before it does not. */
  #request: AbortController | undefined
  #release: (() => void) | undefined

  constructor(name: string, voter: Voter) {
    this.#name = name
    this.#voter = voter
  }

  /** Queues for the lock. */
  stand(): void {
    if (this.#request !== undefined) return
    const request = new AbortController()
    this.#ask(request, { signal: request.signal })
  }

  /** Takes the lock away from who holds it. */
  steal(): void {
    this.withdraw()
    this.#ask(new AbortController(), { steal: true })
  }

  /** Gives up the lock and queues for it again. */
  giveUp(): void {
    this.withdraw()
    this.#voter.deposed()
    this.stand()
  }

  /** Gives up the lock, or the place in the queue. */
  withdraw(): void {
    this.#request?.abort()
    this.#request = undefined
    this.#release?.()
    this.#release = undefined
  }

  #ask(request: AbortController, options: LockOptions): void {
    this.#request = request
    const held = () =>
      new Promise<void>((resolve) => {
        if (this.#request !== request) return resolve() // it came too late to be called off
        this.#release = resolve
        this.#voter.elected(this.#nextTerm())
      })
    navigator.locks.request(this.#name, options, held).catch((error: unknown) => {
      if (this.#request !== request) return
      if (error instanceof DOMException && error.name === 'SecurityError') return this.#voter.barred(error)
      if (options.steal || this.#release) return this.giveUp() // stolen
      this.#request = undefined // a page that is not active cannot queue
    })
  }

  /** A term above all before it: the lock keeps others from taking the same. */
  #nextTerm(): number {
    const known = this.#voter.term()
    try {
      const term = Math.max(known, Number(localStorage.getItem(termKey)) || 0) + 1
      localStorage.setItem(termKey, String(term))
      return term
    } catch {
      return Math.max(known + 1, Date.now()) // a page without storage
    }
  }
}
