import type { Feed, FeedSink } from '../feed.js'
import { earlier } from '../wire.js'
import { whoIsThere } from './alive.js'
import type { Order, Request } from './messages.js'

type Want = Request & { readonly kind: 'want' }

/** How long a new leader listens to what the tabs want before it connects. */
const gatherMs = 30
/** How often tabs are counted at most, and how long one that is new has before it has to be there. */
const countMs = 10_000

export interface LeaderOptions {
  readonly connect: (sink: FeedSink) => Feed & { readonly cursor: string | undefined }
  /** Tells the other tabs. */
  readonly order: (order: Order) => void
  /** The leading tab's own. */
  readonly own: FeedSink
  readonly ownTab: string
}

/** Leader holds the connection for all tabs, and relays what it brings to them. */
export class Leader {
  readonly #options: LeaderOptions
  readonly #connection: ReturnType<LeaderOptions['connect']>
  readonly #wants = new Map<string, Want & { readonly at: number }>()
  #countedAt = Date.now()
  #gathering: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: LeaderOptions) {
    this.#options = options
    this.#connection = options.connect(this.#relay())
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined
      this.#wantAll()
    }, gatherMs)
  }

  get feed(): Feed {
    return this.#connection
  }

  want(want: Want): void {
    const known = this.#wants.get(want.tab)
    if (want.filters.length === 0) this.#wants.delete(want.tab)
    else this.#wants.set(want.tab, { ...want, cursor: earlier(known?.cursor, want.cursor), at: Date.now() })
    if (this.#gathering !== undefined) return
    if (known === undefined) this.#welcome(want)
    this.#wantAll()
  }

  gone(tab: string): void {
    if (this.#wants.delete(tab) && this.#gathering === undefined && !this.#closed) this.#wantAll()
  }

  /** Ends the connection; the tabs wait for the next leader, so nobody is told. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#gathering)
    this.#connection.close()
  }

  /** Who comes without a cursor stands where we do. */
  #welcome(want: Want): void {
    const { cursor, state } = this.#connection
    this.#options.order({ kind: 'state', state })
    if (want.cursor !== undefined || cursor === undefined || want.tab === this.#options.ownTab) return
    this.#options.order({
      kind: 'frame',
      frame: { kind: 'verdict', sync: { status: 'live', cursor }, cursor },
      to: want.tab,
    })
  }

  #wantAll(): void {
    const filters = [...new Set([...this.#wants.values()].flatMap((want) => want.filters))]
    let cursor: string | undefined
    for (const [tab, want] of this.#wants) {
      cursor = earlier(cursor, want.cursor)
      this.#wants.set(tab, { ...want, cursor: undefined }) // once is enough
    }
    this.#connection.want(filters, cursor)
  }

  /** Forgets the tabs that have ended and could not say so. It is done when frames come, so that no timer wakes the page. */
  #count(): void {
    const now = Date.now()
    if (Math.abs(now - this.#countedAt) < countMs) return
    this.#countedAt = now
    whoIsThere()
      .then((there) => {
        for (const [tab, { at }] of this.#wants) if (now - at > countMs && !there.has(tab)) this.gone(tab)
      })
      .catch(() => {}) // the next count may do better
  }

  #relay(): FeedSink {
    const { own, order } = this.#options
    return {
      frame: (frame) => {
        this.#count()
        order({ kind: 'frame', frame }) // first: what our own subscribers do may take long
        own.frame(frame)
      },
      covers: (filters) => {
        order({ kind: 'covers', filters, serials: new Map([...this.#wants].map(([tab, want]) => [tab, want.serial])) })
        own.covers(filters)
      },
      state: (state) => {
        if (this.#closed) return
        order({ kind: 'state', state })
        own.state(state)
      },
      refused: (filters, problem) => {
        for (const [tab, want] of this.#wants) {
          this.#wants.set(tab, { ...want, filters: want.filters.filter((filter) => !filters.includes(filter)) })
        }
        order({ kind: 'refused', filters, problem })
        own.refused(filters, problem)
      },
      heard: own.heard,
      warn: own.warn,
    }
  }
}
