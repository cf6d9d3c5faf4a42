import type { Failure, Problem } from '../problem.js'
import type { Level } from '../wire.js'

/** What outlives a change of state. */
export interface Memory {
  /** No token is ever sent: then what is not granted is unauthorised, and the rest may be granted. */
  readonly anonymous: boolean
  /** Whether there are subscriptions. */
  readonly wanted: boolean
  /** What the browser believes, which is a hint. */
  readonly online: boolean
  readonly visible: boolean
  /** The hub's, as far as it is known. */
  readonly level: Level
  /** Before this it will not get better, in milliseconds of Date.now; 0 if nobody knows. */
  readonly levelUntil: number
  /** Of every so manieth event, by its offset, the hub wants a receipt; 0 of none. */
  readonly receipts: number
  /** Connections that did not last, since one that did. */
  readonly attempts: number
  /** Which of the stream transports is next, and how many there are; 0 is none. */
  readonly rung: number
  readonly rungs: number
  /** How long the hub asks readers to wait before they come back. */
  readonly retryMs: number
  readonly heartbeatMs: number
}

/**
 * State is how a spoke is connected.
 *
 *     idle ──▶ connecting ──proof──▶ live
 *                │    ▲ ◀──failure──── │
 *        a page  │    │ no page        │ hub.level
 *                ▼    │                ▼
 *              polling ◀─────── connecting ──▶ disabled (also from polling)
 *                └────proof──▶ live
 *
 * and from everywhere to offline, disabled, unauthorised, idle and closed.
 */
export type State = { readonly memory: Memory } & (
  | { /** Nobody has subscribed. */ readonly name: 'idle' }
  | {
      /** On the way to a stream, or back to it. */
      readonly name: 'connecting'
      /** A stream is asked for, and has not proved itself. */
      readonly streaming: boolean
      /** A page is asked for, to see whether polling works. */
      readonly asking: boolean
      /** A refusal is looked into: which subscription is to blame. */
      readonly examining: boolean
      /** When a stream is asked for next, in milliseconds of Date.now. */
      readonly retryAt?: number
      readonly cause?: Failure
    }
  | {
      /** Events come as they happen. */
      readonly name: 'live'
      readonly rung: number
      readonly since: number
      /** The hub's name for the stream. */
      readonly connection?: string
    }
  | {
      /** Events come by pages; streams are tried again. */
      readonly name: 'polling'
      readonly streaming: boolean
      readonly asking: boolean
      /** Whether pages are waited for (long-poll). */
      readonly waits: boolean
      /** Pages in a row that have not come. */
      readonly failures: number
      /** Streams in a row that have not proved themselves. */
      readonly probes: number
      readonly since: number
      readonly cause?: Failure
    }
  | {
      /** No network, or the page is frozen or left. */
      readonly name: 'offline'
      readonly why: 'network' | 'suspended'
    }
  | {
      /** Switched off by the application, or by the hub, which is asked again. */
      readonly name: 'disabled'
      readonly by: 'app' | 'hub'
      readonly asking: boolean
    }
  | {
      /** The token is refused, or there is none: see Spoke.retry. */ readonly name: 'unauthorised'
      readonly problem: Problem
    }
  | { /** For good. */ readonly name: 'closed'; readonly problem?: Problem }
)

export type StateName = State['name']
export type Named<N extends StateName> = Extract<State, { readonly name: N }>

export type Timer =
  /** The next stream while connecting, or while offline. */
  | 'retry'
  /** By when a stream must have proved itself. */
  | 'proof'
  /** By when a live stream must have said something more. */
  | 'watchdog'
  /** When a live stream counts as one that lasts. */
  | 'steady'
  /** The next page. */
  | 'poll'
  /** The next stream while polling. */
  | 'probe'

/** What the shell is to do. */
export type Effect =
  | { readonly do: 'open'; readonly rung: number }
  | { readonly do: 'hangUp' }
  | { readonly do: 'ask'; readonly wait: boolean }
  | { readonly do: 'unask' }
  | { readonly do: 'examine' }
  | { readonly do: 'arm'; readonly timer: Timer; readonly ms: number }
  | { readonly do: 'disarm'; readonly timer: Timer }
  /** Ends stream, page and examination, and disarms all timers. */
  | { readonly do: 'stop' }

/** What happens. */
export type Happening =
  /** There are subscriptions, or none any more. */
  | { readonly type: 'want'; readonly wanted: boolean }
  /** There are more than the connection was opened for. */
  | { readonly type: 'grown' }
  | { readonly type: 'timer'; readonly timer: Timer }
  /** The request for a stream is on its way. */
  | { readonly type: 'sent' }
  /** hub.sync has come. */
  | {
      readonly type: 'proved'
      readonly connection?: string | undefined
      readonly level?: Level | undefined
      readonly heartbeatMs?: number | undefined
      readonly receipts?: number | undefined
    }
  | { readonly type: 'heartbeat'; readonly heartbeatMs: number | undefined }
  | { readonly type: 'retry'; readonly ms: number }
  | {
      readonly type: 'level'
      readonly level: Level
      readonly poll?: boolean | undefined
      readonly retryMs?: number | undefined
      readonly forMs?: number | undefined
      readonly heartbeatMs?: number | undefined
      readonly receipts?: number | undefined
    }
  | { readonly type: 'bye'; readonly retryMs: number }
  | { readonly type: 'ended'; readonly failure: Failure }
  | { readonly type: 'page'; readonly level: Level; readonly count: number; readonly tookMs: number }
  | { readonly type: 'noPage'; readonly failure: Failure }
  /** What was wrong with the subscriptions is found and gone, or is not found. */
  | { readonly type: 'examined'; readonly failure: Failure | undefined }
  | { readonly type: 'online' }
  | { readonly type: 'offline' }
  | { readonly type: 'visible' }
  | { readonly type: 'hidden' }
  | { readonly type: 'suspend' }
  | { readonly type: 'resume' }
  /** The application wants a try now. */
  | { readonly type: 'kick' }
  | { readonly type: 'disable' }
  | { readonly type: 'enable' }
  | { readonly type: 'close'; readonly problem?: Problem }

/** A happening with its time (Date.now) and its luck, 0 to 1, that spreads what many do at once. */
export type Event = Happening & { readonly now: number; readonly luck: number }

export type Step = readonly [State, readonly Effect[]]

export function initial(rungs: number, anonymous = false): State {
  return {
    name: 'idle',
    memory: {
      anonymous,
      wanted: false,
      online: true,
      visible: true,
      level: 'normal',
      levelUntil: 0,
      receipts: 0,
      attempts: 0,
      rung: 0,
      rungs,
      retryMs: 2_000,
      heartbeatMs: 15_000,
    },
  }
}
