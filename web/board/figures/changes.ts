import { randomUUID } from 'node:crypto'
import type { Board, Card, Column, Message } from '../src/model.js'
import { Client } from './client.js'
import type { Change } from './delays.js'

/** Who makes them: nobody whose screen is looked at. */
const who = ['chloe', 'dan', 'eva']

/** Ten changes: six edits of a title, three moves to another column, and a message. */
const kinds = ['edit', 'move', 'edit', 'edit', 'say', 'move', 'edit', 'edit', 'move', 'edit'] as const

/** How many changes are under way at most; then the database does not keep up. */
const mostUnderWay = 50

/** People who change cards of a board through its API, at a rate of their own: they do not wait for answers. */
export class Changes {
  readonly done: Change[] = []
  /** How many events the changes so far have made. */
  events = 0
  /** How many were not made, since too many were under way, or refused. */
  failed = 0
  readonly #clients: Client[]
  readonly #cards: Map<string, Card>
  readonly #columns: readonly string[]
  readonly #conversation: string
  readonly #busy = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #made = 0
  #next = 0

  private constructor(clients: Client[], board: Board, options: ChangesOptions) {
    const { spared, conversation, aSecond } = options
    this.#clients = clients
    this.#cards = new Map(board.cards.filter(({ id }) => !spared.includes(id)).map((card) => [card.id, card]))
    this.#columns = board.columns.map(({ id }) => id)
    this.#conversation = conversation
    const began = performance.now()
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) * aSecond) / 1_000)
      for (; this.#made < due; this.#made++) void this.#make()
    }, 5)
  }

  static async start(options: ChangesOptions): Promise<Changes> {
    const clients = await Promise.all(who.map((user) => Client.signIn(options.url, user)))
    const board: Board = JSON.parse((await clients[0]?.get('/api/boards/main')) ?? '')
    return new Changes(clients, board, options)
  }

  /** Ends them, and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    while (this.#busy.size > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const client of this.#clients) client.close()
  }

  async #make(): Promise<void> {
    const number = this.#made
    const client = this.#clients[number % this.#clients.length]
    const card = this.#free()
    if (client === undefined || card === undefined || this.#busy.size >= mostUnderWay) {
      this.failed++
      return
    }
    this.#busy.add(card.id)
    try {
      await this.#send(client, card, kinds[number % kinds.length], number)
    } catch {
      this.failed++
    } finally {
      this.#busy.delete(card.id)
    }
  }

  /** A card that nobody changes now, one after the other. */
  #free(): Card | undefined {
    const cards = [...this.#cards.values()]
    for (const _ of cards) {
      const card = cards[this.#next++ % cards.length]
      if (card && !this.#busy.has(card.id)) return card
    }
    return undefined
  }

  async #send(client: Client, card: Card, kind: (typeof kinds)[number] | undefined, number: number): Promise<void> {
    const sent = Date.now()
    const path = `/api/cards/${card.id}`
    if (kind === 'edit') {
      const title = `${card.title.replace(/ \d+$/, '')} ${number}`
      this.#took(await ask<Card>(client, 'PATCH', path, { rev: card.rev, changes: { title } }), sent)
      this.events += 1
    } else if (kind === 'move') {
      const at = this.#columns.indexOf(card.column)
      const to = this.#columns[(at + 1) % this.#columns.length]
      const answer = await ask<{ card: Card; columns: Column[] }>(client, 'POST', `${path}/move`, { to, before: null })
      this.#took(answer.card, sent)
      this.events += 1 + answer.columns.length
    } else {
      const text = `This is what I think of number ${number}.`
      await ask<Message>(client, 'POST', `/api/conversations/${this.#conversation}/messages`, {
        id: randomUUID(),
        text,
      })
      this.events += 3
    }
  }

  #took(card: Card, sent: number): void {
    this.#cards.set(card.id, card)
    const { id, title, column, rev, updatedAt } = card
    this.done.push({ card: id, title, column, rev, sent, at: Date.parse(updatedAt) })
  }
}

export interface ChangesOptions {
  readonly url: string
  readonly aSecond: number
  readonly conversation: string
  /** Cards that are left alone. */
  readonly spared: readonly string[]
}

export async function ask<T>(client: Client, method: string, path: string, body: unknown): Promise<T> {
  const { status, text } = await client.call(method, path, body)
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`)
  return JSON.parse(text)
}
