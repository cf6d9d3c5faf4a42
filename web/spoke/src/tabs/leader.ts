import type { Feed, FeedSink } from '../feed.js'
import { earlier } from '../wire.js'
import type { Order, Request } from './messages.js'

type Want = Request & { readonly kind: 'want' }

/** How long a new leader listens to what the tabs want before it connects. */
const gatherMs = 30

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
  readonly #wants = new Map<string, Want>()
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
    const known = this.#wants.has(want.tab)
    if (want.filters.length === 0) this.#wants.delete(want.tab)
    else this.#wants.set(want.tab, want)
    if (this.#gathering !== undefined) return
    if (!known) this.#welcome(want)
    this.#wantAll()
  }

  gone(tab: string): void {
    if (this.#wants.delete(tab) && this.#gathering === undefined) this.#wantAll()
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

  #relay(): FeedSink {
    const { own, order } = this.#options
    return {
      frame: (frame) => {
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
      warn: own.warn,
    }
  }
}
