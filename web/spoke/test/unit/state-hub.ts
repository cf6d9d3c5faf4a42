import { ConflictError, type EventMap, type Published, type Subscriber } from '../../src/index.js'
import type { Followed } from '../../src/state/index.js'

export interface Card {
  readonly mine?: number
  readonly theirs?: number
}

interface Stored {
  readonly type: string
  readonly topic: string
  readonly key: string
  readonly id?: string
  readonly offset: number
  readonly version: number
  readonly data?: Card
}

type Draft = Parameters<Followed<EventMap>['publish']>[0]

interface Post {
  readonly draft: Draft
  readonly resolve: (published: Published) => void
  readonly reject: (error: Error) => void
}

/**
 * A hub of one topic, and a spoke to it of which every step is one's own: what is
 * published waits to be stored, answers and events wait to be delivered.
 */
export class StateHub {
  readonly state = new Map<string, Stored>()
  readonly posts: Post[] = []
  readonly answers: (() => void)[] = []
  readonly reported: unknown[] = []
  /** The cards as they have been delivered. */
  readonly told = new Map<string, Card | undefined>()
  /** A snapshot is waited for. */
  awaiting = true
  readonly #log: Stored[] = []
  #delivered = 0
  #offset = 0
  #epoch = 'k'
  #subscriber: Subscriber<EventMap> | undefined

  get spoke(): Followed<EventMap> {
    const cursor = () => `${this.#epoch}-${this.#log[this.#delivered - 1]?.offset ?? 0}`
    return {
      get cursor() {
        return cursor()
      },
      report: (error) => this.reported.push(error),
      subscribe: (_, subscriber) => {
        if (typeof subscriber !== 'function') this.#subscriber = subscriber
        return () => {}
      },
      publish: (draft) => new Promise((resolve, reject) => this.posts.push({ draft, resolve, reject })),
    }
  }

  get undelivered(): number {
    return this.#log.length - this.#delivered
  }

  /** Somebody else changes a card. */
  write(key: string, change: (card: Card | undefined) => Card | undefined): void {
    this.#store(key, change(this.state.get(key)?.data), undefined)
  }

  /** Stores what was published, or refuses it; the answer waits. */
  take(i: number): void {
    const [post] = this.posts.splice(i, 1)
    if (post === undefined) return
    const { draft, resolve, reject } = post
    const { topic, key = '', id, ifVersion } = draft
    const there = this.state.get(key)
    if (ifVersion !== undefined && ifVersion !== (there?.version ?? 0)) {
      const conflict = { topic, key, ifVersion, version: there?.version ?? 0, ...(there?.data && { event: there }) }
      const problem = { status: 409, code: 'conflict', detail: 'somebody was faster', conflicts: [conflict] }
      this.answers.push(() => reject(new ConflictError(problem)))
      return
    }
    const { offset } = this.#store(key, draft.data as Card | undefined, id)
    this.answers.push(() =>
      resolve({ cursor: `${this.#epoch}-${offset}`, events: [{ offset, version: offset }], repeat: false }),
    )
  }

  answer(i: number): void {
    const [answer] = this.answers.splice(i, 1)
    answer?.()
  }

  deliver(): void {
    const event = this.#log[this.#delivered]
    if (this.awaiting || event === undefined) return
    this.#delivered++
    this.told.set(event.key, event.data)
    this.#subscriber?.events([event])
  }

  /** The next event does not come: the page's schema has refused it. */
  omit(): void {
    this.#delivered++
  }

  reset(): void {
    this.awaiting = true
    this.#subscriber?.reset?.('retention')
  }

  snapshot(): void {
    if (!this.awaiting) return
    this.awaiting = false
    this.#delivered = this.#log.length
    for (const { key, data } of this.state.values()) this.told.set(key, data)
    // The state does not say by which ids it came about.
    this.#subscriber?.snapshot?.([...this.state.values()].flatMap(({ id: _, ...item }) => (item.data ? [item] : [])))
  }

  /** The log is lost, and there is another with nothing in it. */
  lose(): void {
    this.awaiting = true
    this.#subscriber?.reset?.('foreign-epoch')
    this.#epoch = 'n'
    this.#log.length = this.#delivered = this.#offset = 0
    this.state.clear()
  }

  #store(key: string, data: Card | undefined, id: string | undefined): Stored {
    const offset = ++this.#offset
    const named = { ...(id !== undefined && { id }), ...(data !== undefined && { data }) }
    const event: Stored = { type: 'card', topic: 't', key, offset, version: offset, ...named }
    this.state.set(key, event)
    this.#log.push(event)
    return event
  }
}
