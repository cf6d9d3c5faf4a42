import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { FeedSink } from '../../src/feed.js'
import type { Frame } from '../../src/frames.js'
import { initial } from '../../src/machine/state.js'
import type { Letter, Order, Request } from '../../src/tabs/messages.js'
import { Tab } from '../../src/tabs/tab.js'

const name = 'nave/1 test'
const live: Frame = { kind: 'verdict', sync: { status: 'live' }, cursor: 'k-0' }
const batch = (offset: number): Frame => ({
  kind: 'batch',
  events: [{ type: 't', topic: 'a', offset }],
  cursor: `k-${offset}`,
})

let letters: Letter[]
let channel: BroadcastChannel
let heard: string[]
let tab: Tab
let giveUp: () => void

/** A tab that somebody else leads: the test, which holds the lock and the channel. */
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }))
  vi.stubGlobal('addEventListener', () => {})
  letters = []
  channel = new BroadcastChannel(name)
  channel.onmessage = ({ data }) => letters.push(data as Letter)
  await new Promise<void>((held) => {
    const lead = () => {
      held()
      return new Promise<void>((resolve) => {
        giveUp = resolve
      })
    }
    navigator.locks.request(name, lead).catch(() => {}) // it is taken away
  })
  heard = []
  const sink: FeedSink = {
    heard() {},
    frame: (frame) => heard.push(`${frame.kind} ${frame.cursor}`),
    covers: (filters) => heard.push(`covers ${filters.join()}`),
    state() {},
    refused() {},
    warn: (message) => heard.push(message),
  }
  const connection = {
    state: initial(1),
    cursor: undefined,
    want() {},
    retry() {},
    disable() {},
    enable() {},
    close() {},
  }
  tab = new Tab(name, () => connection, sink)
})
afterEach(() => {
  tab.close()
  giveUp()
  channel.close()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const order = (order: Order) => channel.postMessage({ term: 1, order } satisfies Letter)
/** Waits for a letter of the tab. */
async function letter<Kind extends Request['kind']>(kind: Kind): Promise<Extract<Request, { readonly kind: Kind }>> {
  const is = (each: Letter): each is Extract<Request, { readonly kind: Kind }> => 'kind' in each && each.kind === kind
  for (let i = 0; i < 500; i++) {
    const last = letters.findLast(is)
    if (last) return last
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`no ${kind} came: ${JSON.stringify(letters)}`)
}
/** All that was sent has come: the tab asks for the last of it. */
async function settled(): Promise<void> {
  letters = []
  order({ kind: 'lead' })
  await letter('want')
}

test('a tab takes no frames before what it wants is in force', async () => {
  order({ kind: 'pong' })
  tab.want(['a'], undefined)
  const { tab: there, serial } = await letter('want')
  const covers = (upTo: number): Order => ({ kind: 'covers', filters: ['a'], serials: new Map([[there, upTo]]) })
  order(covers(serial - 1))
  order({ kind: 'frame', frame: batch(1) })
  order(covers(serial))
  order({ kind: 'frame', frame: live })
  order({ kind: 'frame', frame: batch(2) })
  await settled()
  expect(heard).toEqual(['covers a', 'verdict k-0', 'batch k-2'])
})

test('a leader that is silent is asked, and deposed if it does not answer', async () => {
  order({ kind: 'pong' })
  await settled()
  letters = []
  vi.advanceTimersByTime(39_000)
  await settled() // it has said something
  vi.advanceTimersByTime(39_000)
  expect(letters.filter((each) => 'kind' in each && each.kind === 'ping')).toEqual([])
  vi.advanceTimersByTime(2_000)
  await letter('ping')
  vi.advanceTimersByTime(3_000)
  await vi.waitFor(() => expect(letters.some((each) => 'order' in each && each.order.kind === 'lead')).toBe(true))
})
