// What the browser is shown: an outbox and a live state whose doings are written down.
import { createSpoke } from '../../src/index.js'
import { createOutbox, type Handle, type Kept, type Outbox, type OutboxItem } from '../../src/outbox/index.js'
import { type LiveItem, type LiveState, liveState, MergeError, rebase } from '../../src/state/index.js'

export type Events = { card: Card; note: number }
export type Card = { title?: string; column?: string; text?: string }

export interface Options {
  readonly url: string
  readonly identity: string
  /** Keeps changes in the outbox. */
  readonly offline?: boolean
  /** Calls this function of the page for tokens. */
  readonly token?: boolean
  /** Follows this topic as state. */
  readonly topic?: string
  /** Settles conflicts so; default: they are given up. */
  readonly conflict?: 'merge' | 'drop' | 'mine'
}

declare global {
  var edits: {
    begin: (options: Options) => Promise<void>
    outbox: Outbox<Events>
    live: LiveState<Card>
    handles: Handle[]
    /** What became of each, by its place in `handles`. */
    outcomes: string[]
    givenUp: string[]
    unhandled: string[]
    /** What has been shown of each card, without repeats. */
    shown: { [key: string]: string[] }
    put: (key: string, data: Card, options?: { lane?: string; ifVersion?: number; chain?: boolean }) => Promise<Kept>
    note: (topic: string, data: number) => Promise<Kept>
    /** Sets a field of a card, and says what became of that. */
    set: (key: string, field: keyof Card, value: string) => Promise<string>
  }
}

const shown: { [key: string]: string[] } = {}
const handles: Handle[] = []
const outcomes: string[] = []
const givenUp: string[] = []
const unhandled: string[] = []
addEventListener('unhandledrejection', ({ reason }) => unhandled.push(String(reason)))

function look(items: ReadonlyMap<string, LiveItem<Card>>): void {
  for (const key of new Set([...Object.keys(shown), ...items.keys()])) {
    const item = items.get(key)
    const text = item ? JSON.stringify(item.data) : 'gone'
    shown[key] ??= []
    if (shown[key].at(-1) !== text) shown[key].push(text)
  }
}

function kept(handle: Handle): Promise<Kept> {
  const i = handles.push(handle) - 1
  handle.sent.then(
    ({ repeat }) => {
      outcomes[i] = repeat ? 'repeat' : 'sent'
    },
    (error: Error) => {
      outcomes[i] = error.message
    },
  )
  return handle.stored
}

async function begin(options: Options): Promise<void> {
  const spoke = createSpoke<Events>({
    url: options.url,
    ...(options.token && { token: (why: string) => globalThis.nextToken?.(why) }),
  })
  const settle = {
    merge: rebase<Events, Card>(),
    drop: () => 'drop' as const,
    mine: (item: OutboxItem<Events>) => item.drafts.map(({ ifVersion: _, id: __, ...draft }) => draft),
  }
  const outbox = createOutbox<Events>(spoke, {
    identity: options.identity,
    ...(options.conflict && { conflict: settle[options.conflict] }),
    onGivenUp: (item) => givenUp.push(item.failure?.reason ?? ''),
  })
  globalThis.edits.outbox = outbox
  if (options.topic !== undefined) {
    const live = liveState<Card, Events>(spoke, {
      topic: options.topic,
      type: 'card',
      ...(options.offline && { outbox }),
    })
    globalThis.edits.live = live
    live.watch(() => look(live.items))
    look(live.items)
  }
  await outbox.ready
}

globalThis.edits = {
  begin,
  handles,
  outcomes,
  givenUp,
  unhandled,
  shown,
  put: (key, data, { ifVersion, ...options } = {}) => {
    const draft = { topic: 'cards/1', type: 'card' as const, key, data }
    return kept(globalThis.edits.outbox.enqueue(ifVersion === undefined ? draft : { ...draft, ifVersion }, options))
  },
  note: (topic, data) => kept(globalThis.edits.outbox.enqueue({ topic, type: 'note', data })),
  set: async (key, field, value) => {
    try {
      await globalThis.edits.live.update(key, (card) => ({ ...card, [field]: value }))
      return 'stored'
    } catch (error) {
      return error instanceof MergeError ? JSON.stringify(error) : String(error)
    }
  },
} as typeof globalThis.edits
Object.assign(globalThis, { seen: {} })
