import { QueryClient } from '@tanstack/query-core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSpoke, type Spoke } from '../../src/index.js'
import { Listeners } from '../../src/listeners.js'
import { createOutbox } from '../../src/outbox/index.js'
import { Roster } from '../../src/presence/roster.js'
import { bindQueries } from '../../src/query/index.js'
import { trackSession } from '../../src/session/index.js'
import { liveState } from '../../src/state/index.js'

type Events = { [type: string]: unknown }

const wrong = new Error('of a listener')
const fails = () => {
  throw wrong
}

beforeEach(() => {
  const page = new EventTarget()
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'hidden' }))
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

test('one that throws or rejects stops no other, and each ends only itself', async () => {
  const reported: unknown[] = []
  const heard: number[] = []
  const listeners = new Listeners<[n: number]>((error) => reported.push(error))
  const listener = (n: number) => heard.push(n)
  listeners.add(fails)
  listeners.add(async () => fails())
  const end = listeners.add(listener)
  listeners.add(listener)
  listeners.tell(1)
  end()
  listeners.tell(2)
  await Promise.resolve()
  expect(heard).toEqual([1, 1, 2])
  expect(reported).toEqual([wrong, wrong, wrong, wrong])
})

/** A spoke without a hub, and what has those of a part called who listen. */
const parts: Record<string, (spoke: Spoke<Events>) => unknown> = {
  presence(spoke) {
    const subscribe = vi.spyOn(spoke, 'subscribe')
    new Roster(spoke, 'a', true).watch(fails)
    const to = subscribe.mock.calls[0]?.[1]
    if (typeof to === 'object')
      to.events([{ type: 'hub.presence', topic: '$presence/a', data: { total: 0, members: [] } }])
  },
  async outbox(spoke) {
    const outbox = createOutbox(spoke, { identity: 'me' })
    outbox.watch(fails)
    await outbox.enqueue({ topic: 'a', type: 't' }).stored
    outbox.close()
  },
  state(spoke) {
    const live = liveState<number>(spoke, { topic: 'a', type: 't' })
    live.watch(fails)
    live.update('k', () => 1).catch(() => {})
    live.close()
  },
  session(spoke) {
    const session = trackSession(spoke, { topic: 'a' })
    session.watch(fails)
    session.end()
  },
  "a session's data": (spoke) => trackSession(spoke, { topic: 'a', data: fails }).end(),
  query(spoke) {
    const subscribe = vi.spyOn(spoke, 'subscribe')
    const client = new QueryClient()
    client.setQueryData(['a'], 1)
    const end = bindQueries(client, spoke, { filters: 'a', queryKey: ['a'], apply: fails })
    const to = subscribe.mock.calls[0]?.[1]
    if (typeof to === 'object') to.events([{ type: 't', topic: 'a' }])
    end()
  },
}

test.each(Object.entries(parts))('onError hears what is thrown by whom %s calls', async (_, use) => {
  const errors: unknown[] = []
  const fetch = () => new Promise<Response>(() => {})
  const spoke = createSpoke<Events>({ url: 'http://nowhere', fetch, onError: (error) => errors.push(error) })
  await use(spoke)
  expect(errors).toContain(wrong)
  spoke.close()
})
