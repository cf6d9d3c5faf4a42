// What the browser is shown: a spoke whose doings are written down.
import * as core from '../../src/index.js'
import * as receiptsEntry from '../../src/receipts/index.js'
import * as sessionEntry from '../../src/session/index.js'
import { shareTabs } from '../../src/tabs/index.js'
import { eventSource } from '../../src/transports/eventsource.js'

export interface Options {
  readonly url: string
  readonly filters?: readonly string[]
  /** Calls this function of the page for tokens. */
  readonly token?: boolean
  readonly transport?: 'fetch' | 'eventsource' | 'none'
  readonly types?: readonly string[]
  readonly tabs?: string
  readonly snapshot?: boolean
  readonly cursor?: string
  readonly traceparent?: string
}

/** What has happened, as plain data. */
export interface Record {
  batches: core.WireEvent[][]
  snapshots: core.WireEvent[][]
  resets: (string | undefined)[]
  refused: string[]
  states: string[]
  errors: string[]
  tokens: string[]
}

declare global {
  // var is how a global is declared.
  var spoke: core.Spoke<core.EventMap>
  var seen: Record
  var start: (options: Options) => void
  var follow: (filters: readonly string[], options?: core.SubscribeOptions) => () => void
  var sessions: typeof sessionEntry
  var receipts: typeof receiptsEntry
  var nextToken: ((why: string) => Promise<string | null>) | undefined
}

globalThis.seen = { batches: [], snapshots: [], resets: [], refused: [], states: [], errors: [], tokens: [] }

Object.assign(globalThis, { sessions: sessionEntry, receipts: receiptsEntry })

globalThis.start = (options) => {
  const { seen } = globalThis
  globalThis.spoke = core.createSpoke({
    url: options.url,
    ...(options.transport === 'none' && { transports: [] }),
    ...(options.transport === 'eventsource' && { transports: [eventSource({ types: options.types ?? [] })] }),
    ...(options.traceparent !== undefined && { traceparent: () => options.traceparent }),
    ...(options.tabs !== undefined && { tabs: shareTabs({ identity: options.tabs }) }),
    ...(options.token && {
      token: (why: string) => {
        seen.tokens.push(why)
        return globalThis.nextToken?.(why)
      },
    }),
    onError: (error) => seen.errors.push(String(error)),
  })
  globalThis.spoke.watch(({ name }) => {
    if (seen.states.at(-1) !== name) seen.states.push(name)
  })
  if (options.filters) {
    globalThis.follow(options.filters, {
      ...(options.snapshot && { snapshot: true }),
      ...(options.cursor !== undefined && { cursor: options.cursor }),
    })
  }
}

globalThis.follow = (filters, options) =>
  globalThis.spoke.subscribe(
    filters,
    {
      events: (events) => globalThis.seen.batches.push([...events]),
      snapshot: (events) => globalThis.seen.snapshots.push([...events]),
      reset: (reason) => globalThis.seen.resets.push(reason),
      refused: (error) => globalThis.seen.refused.push(error.message),
    },
    options,
  )
