// What the server has answered goes into the cache of every tab of the browser.
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { withCard, withColumn, withMessage, withNewer, withoutCard } from './cache.js'
import type { Board, Card, Column, Message, User } from './model.js'
import { keys } from './queries.js'

export type Answer =
  | { readonly of: 'card'; readonly card: Card; readonly columns?: readonly Column[] }
  | { readonly of: 'delete'; readonly card: string }
  | { readonly of: 'message'; readonly message: Message }
  | { readonly of: 'user'; readonly user: User }

/**
 * Answers go to the other tabs by localStorage, as the writes do that they are answers
 * to: what comes that way comes in order, so that a write is not gone before its answer
 * is there.
 */
export class Answers {
  readonly #client: QueryClient
  readonly #key: string
  readonly #stop = new AbortController()

  constructor(client: QueryClient, user: string) {
    this.#client = client
    this.#key = `board answer ${user}`
    const hear = ({ key, newValue }: StorageEvent) => {
      // It was written by a page of the same make.
      if (key === this.#key && newValue !== null) void this.#apply(JSON.parse(newValue) as Answer)
    }
    window.addEventListener('storage', hear, { signal: this.#stop.signal })
  }

  async take(answer: Answer): Promise<void> {
    try {
      localStorage.setItem(this.#key, JSON.stringify(answer))
      localStorage.removeItem(this.#key)
    } catch {
      // Without room the others hear of it from the hub.
    }
    await this.#apply(answer)
  }

  close(): void {
    this.#stop.abort()
  }

  #apply(answer: Answer): Promise<void> {
    switch (answer.of) {
      case 'card': {
        const { card, columns = [] } = answer
        return this.#update<Board>(keys.board, (board) => columns.reduce(withColumn, withCard(board, card)))
      }
      case 'delete':
        return this.#update<Board>(keys.board, (board) => withoutCard(board, answer.card))
      case 'message': {
        const { message } = answer
        return this.#update<readonly Message[]>([...keys.messages, message.conversation], (messages) =>
          withMessage(messages, message),
        )
      }
      case 'user':
        return this.#update<readonly User[]>(keys.users, (users) => withNewer(users, answer.user))
    }
  }

  /** A fetch that is under way may be older than the answer: it begins anew. */
  async #update<Data>(queryKey: QueryKey, f: (data: Data) => Data): Promise<void> {
    const state = this.#client.getQueryState(queryKey)
    if (state?.data === undefined) return
    const fetching = state.fetchStatus === 'fetching'
    if (fetching) await this.#client.cancelQueries({ queryKey, exact: true })
    this.#client.setQueryData<Data>(queryKey, (data) => data && f(data))
    if (fetching) void this.#client.invalidateQueries({ queryKey, exact: true })
  }
}
