// What the log tells, brought together with what the database holds and what people did.
import type { Card, Column, Fields } from '../../src/model.js'
import type { LoggedEvent, wholeState } from './log.js'
import type { Audit } from './office.js'
import type { Edit } from './tab.js'
import type { Layout } from './witness.js'

interface Entity {
  readonly id: string
  readonly rev?: number
}

/** History is the log replayed: the board after each batch, and what is wrong with it. */
export class History {
  /** The columns after each batch. */
  readonly layouts: Layout[] = []
  readonly wrong: string[] = []
  readonly #latest = new Map<string, Entity>()
  readonly #deleted = new Set<string>()
  /** What each card's fields were, one after the other, and by whom. */
  readonly #values = new Map<string, { value: string | null; by: string }[]>()

  constructor(batches: readonly (readonly LoggedEvent[])[]) {
    for (const batch of batches) {
      this.#batch(batch)
      for (const event of batch) this.#take(event)
      this.#layout()
    }
  }

  /** Compares the end of the log, and the hub's state, with the database. */
  compare(audit: Audit, state: Awaited<ReturnType<typeof wholeState>>): void {
    const rows = [
      ...audit.cards.map((card) => ['cards/main', card.id, card] as const),
      ...audit.columns.map((column) => ['cards/main', `column:${column.id}`, column] as const),
      ...audit.users.map((user) => ['users/all', user.id, user] as const),
      ...audit.conversations.map((conversation) => ['conversations/all', conversation.id, conversation] as const),
      ...audit.messages.map((message) => [`conversations/${message.conversation}`, message.id, message] as const),
    ]
    const items = new Map<string, string>(
      state.flatMap(({ topic, key, data }) => (data === undefined ? [] : [[`${topic} ${key}`, sorted(data)] as const])),
    )
    for (const [topic, key, row] of rows) {
      const name = `${topic} ${key}`
      if (sorted(this.#latest.get(name)) !== sorted(row)) this.wrong.push(`${name}: the log has not what is so`)
      if (items.get(name) !== sorted(row)) this.wrong.push(`${name}: the hub's state is not what is so`)
      items.delete(name)
    }
    for (const name of items.keys()) this.wrong.push(`${name}: the hub has it, and the database has not`)
    for (const id of this.#deleted)
      if (audit.cards.some((card) => card.id === id)) this.wrong.push(`${id} was deleted, and is there`)
  }

  /**
   * Finds each edit in the log, and that it went over nothing that who made it had not seen;
   * and each delete that was let stand, and no other.
   */
  account(edits: readonly Edit[], deleted: ReadonlySet<string>): void {
    for (const id of deleted) if (!this.#deleted.has(id)) this.wrong.push(`the delete of ${id} is lost`)
    for (const id of this.#deleted) if (!deleted.has(id)) this.wrong.push(`${id} was had back, and is deleted`)
    const open = [...edits]
    for (const [name, values] of this.#values) {
      for (const [i, { value, by }] of values.entries()) {
        const before = values[i - 1]?.value
        if (i === 0 || value === before) continue
        const at = open.findIndex((edit) => `${edit.card} ${edit.field}` === name && edit.value === value)
        const edit = open[at]
        if (edit === undefined) {
          this.wrong.push(`${name}: nobody wrote “${value}”`)
          continue
        }
        open.splice(at, 1)
        if (edit.by !== by) this.wrong.push(`${name}: “${value}” was written by ${edit.by} and not by ${by}`)
        if (!edit.seen.includes(before ?? ''))
          this.wrong.push(`${name}: “${value}” went over “${before}”, and ${by} had seen only ${edit.seen.join(', ')}`)
      }
    }
    for (const { by, card, field, value } of open) this.wrong.push(`${card} ${field}: ${by}'s “${value}” is lost`)
  }

  /** What a card was called, one after the other. */
  titles(card: string): readonly string[] {
    return this.#values.get(`${card} title`)?.map(({ value }) => value ?? '') ?? []
  }

  #batch(batch: readonly LoggedEvent[]): void {
    const about = batch.map(({ type, key }) => `${type} ${key}`).join(', ')
    for (const [i, { batch: place }] of batch.entries())
      if ((place?.i ?? 0) !== i || (place?.n ?? 1) !== batch.length) this.wrong.push(`a batch is not whole: ${about}`)
    const move = batch.find(({ type }) => type === 'card.moved')
    if (move === undefined) return
    const from = asCard(this.#latest.get(nameOf(move)))?.column
    for (const column of new Set([from, asCard(move.data)?.column]))
      if (!batch.some(({ key }) => key === `column:${column}`)) this.wrong.push(`a move lacks ${column}: ${about}`)
  }

  #take(event: LoggedEvent): void {
    const name = nameOf(event)
    if (event.type === 'card.deleted') {
      this.#latest.delete(name)
      this.#deleted.add(event.key)
      return
    }
    const before = this.#latest.get(name)
    if (!isEntity(event.data)) {
      this.wrong.push(`${name}: ${event.type} has no data`)
      return
    }
    const { rev } = event.data
    if (rev === undefined ? before !== undefined : rev !== (before?.rev ?? 0) + 1)
      this.wrong.push(`${name}: rev ${rev} comes after ${before?.rev}`)
    if (this.#deleted.has(event.key)) this.wrong.push(`${name}: ${event.type} after it was deleted`)
    this.#latest.set(name, event.data)
    const card = asCard(event.data)
    if (card) for (const field of fields) this.#note(`${card.id} ${field}`, card[field], card.updatedBy)
  }

  #note(name: string, value: string | null, by: string): void {
    // What the board began with is one batch, and nobody's.
    const values = this.layouts.length === 0 ? [] : (this.#values.get(name) ?? [])
    if (values.at(-1)?.value !== value) values.push({ value, by })
    this.#values.set(name, values)
  }

  /** After each batch every card is in the one column that it names. */
  #layout(): void {
    const all = [...this.#latest.values()]
    const columns = all.flatMap((entity) => asColumn(entity) ?? [])
    const layout = order.flatMap((id) => {
      const column = columns.find((each) => each.id === id)
      return column ? [[id, column.cards] as const] : []
    })
    this.layouts.push(layout)
    for (const entity of all) {
      const card = asCard(entity)
      if (card === undefined) continue
      const found = layout.flatMap(([id, cards]) => cards.filter((each) => each === card.id).map(() => id))
      if (found.length !== 1 || found[0] !== card.column)
        this.wrong.push(`the log has ${card.id} in “${found.join(' and ')}”, and it says ${card.column}`)
    }
  }
}

const fields: readonly (keyof Fields)[] = ['title', 'text', 'assignee']
const order = ['todo', 'doing', 'review', 'done']

function nameOf({ topic, key }: LoggedEvent): string {
  return `${topic} ${key}`
}

function isEntity(data: unknown): data is Entity {
  return typeof data === 'object' && data !== null && 'id' in data
}

function asCard(data: unknown): Card | undefined {
  return isCard(data) ? data : undefined
}

function isCard(data: unknown): data is Card {
  return isEntity(data) && 'updatedBy' in data
}

function asColumn(data: unknown): Column | undefined {
  return isColumn(data) ? data : undefined
}

function isColumn(data: unknown): data is Column {
  return isEntity(data) && 'cards' in data
}

/** As text, whatever the order of its members. */
function sorted(data: unknown): string {
  return JSON.stringify(data, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}
