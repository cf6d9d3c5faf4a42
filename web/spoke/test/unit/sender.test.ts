import { expect, test } from 'vitest'
import { ConflictError, HubError, type Published, type WireEvent } from '../../src/index.js'
import { chained } from '../../src/outbox/chain.js'
import type { OutboxItem, SettleConflict } from '../../src/outbox/item.js'
import { Sender } from '../../src/outbox/sender.js'
import { rebase } from '../../src/state/index.js'

type Events = { card: { title?: string; text?: string } }
type Item = OutboxItem<Events>

const settle = () => new Promise((resolve) => setImmediate(resolve))

function item(id: string, more: Partial<Item> = {}): Item {
  const draft = { topic: 't', type: 'card', key: 'k', id, data: { title: id }, ifVersion: 1 } as const
  return { id, lane: 'l', drafts: [draft], at: Date.now(), order: 0, size: 1, chain: true, rebases: 0, ...more }
}

function conflict(version: number, data?: Events['card']): ConflictError {
  const event: WireEvent = { type: 'card', topic: 't', key: 'k', ...(data && { data }) }
  const conflicts = [{ topic: 't', key: 'k', ifVersion: 1, version, event }]
  return new ConflictError({ status: 409, code: 'conflict', detail: 'somebody was faster', conflicts })
}

const published = (version: number): Published => ({ events: [{ version, offset: version }], repeat: false })

/** A desk of items, and a hub that answers what one says. */
function begin(items: Item[], settleConflict?: SettleConflict<Events>) {
  const desk = new Map(items.map((one) => [one.id, one]))
  const given: { id: string; answer: (outcome: Published | Error) => void; signal: AbortSignal | undefined }[] = []
  const waits = () => [...desk.values()].filter(({ failure }) => !failure)
  let mine = true
  const sender = new Sender<Events>({
    desk: {
      items: waits,
      mine: () => mine,
      sent: async ({ id }) => void desk.delete(id),
      dropped: async ({ id }) => void desk.delete(id),
      changed: async (changed) => void desk.set(changed.id, changed),
      paused: () => {},
    },
    publish: ([draft], { signal }) =>
      new Promise((resolve, reject) => {
        const answer = (outcome: Published | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))
        given.push({ id: draft?.id ?? '', answer, signal })
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
    conflictOf: () => settleConflict,
  })
  const answer = async (outcome: Published | Error) => {
    given.at(-1)?.answer(outcome)
    await settle()
  }
  const give = (is: boolean) => {
    mine = is
  }
  sender.pass()
  return { sender, desk, given, answer, give }
}

test('a conflict is settled three times, and then given up', async () => {
  const { desk, given, answer } = begin([item('a')], ({ drafts }) => drafts)
  for (let n = 0; n < 4; n++) await answer(conflict(n + 2))
  expect(given).toHaveLength(4)
  expect(desk.get('a')?.failure).toMatchObject({ reason: 'somebody was faster', problem: { code: 'conflict' } })
})

test('what is thrown by who settles a conflict is why the item is given up', async () => {
  const { desk, answer } = begin([item('a'), item('b')], () => {
    throw new Error('choose')
  })
  await answer(conflict(2))
  expect(desk.get('a')?.failure?.reason).toBe('choose')
  expect(desk.get('b')?.failure).toBeUndefined()
})

test('what is another tab’s from now on is left where it is', async () => {
  const { sender, desk, given, give } = begin([item('a')])
  give(false)
  sender.yield()
  await settle()
  expect(desk.get('a')?.failure).toBeUndefined()
  expect(given).toHaveLength(1)
  give(true)
  sender.pass()
  expect(given).toHaveLength(2)
})

test('whoever is asked about a conflict is not asked again because the hub is there again', async () => {
  let choose = () => {}
  const asking: SettleConflict<Events> = ({ drafts }) =>
    new Promise((resolve) => {
      choose = () => resolve(drafts)
    })
  const { sender, desk, given, answer } = begin([item('a')], asking)
  await answer(conflict(2))
  sender.hurry()
  choose()
  await settle()
  expect(given).toHaveLength(2)
  expect(desk.get('a')?.rebases).toBe(1)
})

test('who is refused sends nothing more, and no item is given up', async () => {
  const { sender, desk, given, answer } = begin([item('a'), item('b', { lane: 'other' })])
  await answer(new HubError({ status: 401, code: 'unauthorised', detail: 'who are you?' }))
  expect(sender.paused?.status).toBe(401)
  expect([...desk.values()].some(({ failure }) => failure)).toBe(false)
  sender.pass()
  expect(given).toHaveLength(2)
  sender.resume()
  expect(given).toHaveLength(3)
})

test('after an end nothing is sent', async () => {
  const { sender, desk, given } = begin([item('a'), item('b')])
  sender.close()
  await settle()
  sender.pass()
  expect(given).toHaveLength(1)
  expect(desk.size).toBe(2)
})

test('items go on from the version of the one before, unless that was changed', () => {
  const [next] = chained([item('b')], item('a'), published(7))
  expect(next?.drafts[0]?.ifVersion).toBe(7)
  expect(chained([item('b', { chain: false })], item('a'), published(7))).toEqual([])
  expect(chained([item('b', { lane: 'other' })], item('a'), published(7))).toEqual([])
  expect(chained([item('b')], item('a', { rebases: 1 }), published(7))).toEqual([])
})

test('a change that was merged is merged again as of what it was merged with', async () => {
  const settled = rebase<Events, Events['card']>()
  const draft = {
    topic: 't',
    type: 'card',
    key: 'k',
    id: 'a',
    data: { title: 'a', text: 'old' },
    ifVersion: 1,
  } as const
  const mine = item('a', { drafts: [draft], note: { base: { title: 'old', text: 'old' } } })
  const first = await settled(mine, conflict(2, { title: 'old', text: 'theirs' }))
  if (typeof first !== 'object' || !('drafts' in first)) throw new Error('it is not settled')
  expect(first.drafts[0]).toMatchObject({ id: 'a', data: { title: 'a', text: 'theirs' }, ifVersion: 2 })
  // They have taken it back: so it is not to be brought back by us.
  const again = await settled({ ...mine, ...first }, conflict(3, { title: 'old', text: 'old' }))
  expect(again).toMatchObject({ drafts: [{ data: { title: 'a', text: 'old' }, ifVersion: 3 }] })
})
