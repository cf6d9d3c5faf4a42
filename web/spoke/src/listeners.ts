import { guarded } from './reporting.js'

/** Those who listen. What one throws, or its promise rejects with, is reported and stops no other. */
export class Listeners<Said extends unknown[] = []> {
  readonly #all = new Set<(...said: Said) => unknown>()
  readonly #report: (error: unknown) => void

  constructor(report: (error: unknown) => void) {
    this.#report = report
  }

  /** Adds one, also one that listens already, and returns what ends that. */
  add(listener: (...said: Said) => unknown): () => void {
    const own = (...said: Said) => listener(...said)
    this.#all.add(own)
    return () => this.#all.delete(own)
  }

  tell(...said: Said): void {
    for (const listener of [...this.#all]) guarded(() => listener(...said), this.#report)
  }

  clear(): void {
    this.#all.clear()
  }
}
