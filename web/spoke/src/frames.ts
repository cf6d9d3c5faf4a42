import {
  type Auth,
  type Bye,
  type Heartbeat,
  type LevelChange,
  parseCursor,
  type Sync,
  sameBatch,
  type WireEvent,
} from './wire.js'

/** One block of a text/event-stream. */
export interface Message {
  readonly event?: string | undefined
  readonly data: string
  readonly id?: string | undefined
}

/**
 * What readers of a stream or of pages are told, in order. A batch is whole; the
 * cursor says that everything up to there has been said.
 */
export type Frame =
  | { readonly kind: 'verdict'; readonly sync: Sync; readonly cursor: string | undefined }
  | { readonly kind: 'batch'; readonly events: readonly WireEvent[]; readonly cursor: string | undefined }
  | { readonly kind: 'mark'; readonly cursor: string }

/** What a stream says about itself, as docs/http.md has it. */
export type Notice =
  | ({ readonly kind: 'heartbeat' } & Heartbeat)
  | ({ readonly kind: 'level' } & LevelChange)
  | ({ readonly kind: 'auth' } & Auth)
  | ({ readonly kind: 'bye' } & Bye)

/**
 * Assembler makes frames of messages. Events of a batch wait until the last of
 * them has come, which is the one with an id; what a broken connection leaves
 * waiting is dropped with the assembler, and comes again after the cursor.
 */
export class Assembler {
  #held: WireEvent[] = []

  /** Throws a SyntaxError for data that is not JSON. */
  take(message: Message): (Frame | Notice)[] {
    const type = message.event ?? ''
    const data: unknown = JSON.parse(message.data)
    if (typeof data !== 'object' || data === null) throw new SyntaxError(`${type} has no object as data`)
    return type.startsWith('hub.') ? this.#notice(type, data, message.id) : this.#event(type, data, message.id)
  }

  #event(type: string, data: object, id: string | undefined): Frame[] {
    const event = { ...(data as WireEvent), type }
    const offset = event.offset
    if (offset === undefined) return [{ kind: 'batch', events: [event], cursor: undefined }]
    const out: Frame[] = []
    const before = this.#held[0]
    // An EventSource does not hear types that it was not told of, so the end of
    // a batch can go unheard.
    if (before !== undefined && !sameBatch(before, event)) out.push(...this.#flush(undefined))
    this.#held.push(event)
    // The id of an EventSource's message may be an older one; the event's own says its offset.
    if (parseCursor(id)?.offset === offset) out.push(...this.#flush(id))
    return out
  }

  #flush(cursor: string | undefined): Frame[] {
    const events = this.#held
    this.#held = []
    return events.length > 0 ? [{ kind: 'batch', events, cursor }] : []
  }

  #notice(type: string, data: object, id: string | undefined): (Frame | Notice)[] {
    const mark: Frame[] = id ? [{ kind: 'mark', cursor: id }] : []
    switch (type) {
      case 'hub.sync':
        this.#held = []
        return [{ kind: 'verdict', sync: data as Sync, cursor: (data as Sync).cursor ?? id }]
      case 'hub.heartbeat':
        return [...this.#flush(undefined), ...mark, { ...(data as Heartbeat), kind: 'heartbeat' }]
      case 'hub.level':
        return [{ ...(data as LevelChange), kind: 'level' }]
      case 'hub.auth':
        return [{ ...(data as Auth), kind: 'auth' }]
      case 'hub.bye':
        return [{ ...(data as Bye), kind: 'bye' }]
      case 'hub.presence':
        return this.#event(type, data, id)
      default: // of a newer hub
        return mark
    }
  }
}

/** The batches of a page, each whole. */
export function batchesOf(events: readonly WireEvent[]): WireEvent[][] {
  const batches: WireEvent[][] = []
  for (const event of events) {
    const last = batches.at(-1)
    if (last?.[0] !== undefined && sameBatch(last[0], event)) last.push(event)
    else batches.push([event])
  }
  return batches
}
