// What is on the wire, as the hub's docs/http.md has it.

/** The service level that the hub holds; each gives up what those before it do. */
export type Level = 'normal' | 'shed' | 'conserve' | 'polling' | 'off'

/** Why a cursor cannot be resumed from. */
export type ResetReason = 'retention' | 'foreign-epoch' | 'ahead' | 'malformed' | 'damaged' | 'degraded'

/** An event as the hub sends it. */
export interface WireEvent {
  readonly type: string
  readonly topic: string
  /** The entity within the topic that it is about. */
  readonly key?: string
  /** Of the key; equals the offset. */
  readonly version?: number
  /** The place in the hub's one order. Absent for transient events. Exact up to 2^53. */
  readonly offset?: number
  /** RFC 3339, UTC. */
  readonly time?: string
  readonly id?: string
  readonly source?: string
  /** The i-th of n that were published together; absent for single events. */
  readonly batch?: { readonly i: number; readonly n: number }
  readonly traceparent?: string
  /** What was published. Absent when a keyed event removes its key. */
  readonly data?: unknown
}

/** The verdict on the cursor that a reader came with. */
export interface Sync {
  readonly status: 'live' | 'recovered' | 'reset'
  readonly reason?: ResetReason
  readonly cursor?: string
  /** The name of the stream. */
  readonly connection?: string
  /** Absent if it is normal. */
  readonly level?: Level
  readonly heartbeatMs?: number
  /** Of every so manieth event, by its offset, the hub wants a receipt; absent if of none. */
  readonly receipts?: number
}

export interface Heartbeat {
  /** The hub's clock: RFC 3339, UTC. */
  readonly time: string
  /** The head of the hub's log. */
  readonly cursor?: string
  /** How often they come. */
  readonly heartbeatMs?: number
}

/** The service level has changed. */
export interface LevelChange {
  readonly level: Level
  /** For people. */
  readonly reason?: string
  /** How long it will not get better, at least. */
  readonly forMs?: number
  readonly heartbeatMs?: number
  /** There are no streams any more; the first page is for after `retryMs`. */
  readonly poll?: boolean
  readonly retryMs?: number
  /** As in `Sync`. */
  readonly receipts?: number
}

/** How the token of a stream fares. */
export interface Auth {
  readonly status: 'expiring' | 'renewed' | 'expired' | 'revoked'
  readonly connection: string
  /** RFC 3339, UTC. */
  readonly expires?: string
}

/** The hub ends the stream. */
export interface Bye {
  readonly reason: string
  readonly retryMs: number
}

/** One answer to a poll. */
export interface Page {
  readonly cursor: string
  readonly sync: Sync
  readonly level: Level
  readonly events: readonly WireEvent[]
}

/** Whether the hub serves streams at this level. */
export function streamsAt(level: Level): boolean {
  return level !== 'polling' && level !== 'off'
}

/** A cursor, `<epoch>-<offset>`, taken apart; undefined if it is none. */
export function parseCursor(text: string | undefined): { epoch: string; offset: number } | undefined {
  const at = text?.lastIndexOf('-') ?? -1
  if (text === undefined || at <= 0) return undefined
  const offset = Number(text.slice(at + 1))
  return Number.isNaN(offset) ? undefined : { epoch: text.slice(0, at), offset }
}

/** Whether a cursor has seen less than another of the same log. */
export function isBefore(a: string | undefined, b: string | undefined): boolean {
  const x = parseCursor(a)
  const y = parseCursor(b)
  return x !== undefined && y !== undefined && x.epoch === y.epoch && x.offset < y.offset
}

/** Of two cursors the one that has seen less: of two logs, the first. */
export function earlier(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || isBefore(b, a) ? b : a
}

/** The batch that an event is of: the offset of the batch's first event. */
function batchOf(event: WireEvent): number {
  return (event.offset ?? 0) - (event.batch?.i ?? 0)
}

/** Whether two neighbours were published together. */
export function sameBatch(a: WireEvent, b: WireEvent): boolean {
  return a.offset !== undefined && b.offset !== undefined && batchOf(a) === batchOf(b)
}
