import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSpoke, HubError } from '../../src/index.js'
import { initial, type State } from '../../src/machine/state.js'
import { Roster } from '../../src/presence/roster.js'
import type { Subscriber } from '../../src/subscription.js'

interface Answer {
  total: number
  members: { subject: string; since: string; idle: boolean; connections: [] }[]
}

const member = (subject: string) => ({ subject, since: '', idle: false, connections: [] as [] })
const list = (...subjects: string[]): Answer => ({ total: subjects.length, members: subjects.map(member) })

/** A spoke whose stream and whose answers are ours. */
function setUp(announce = true) {
  const spoke = createSpoke({ url: 'http://nowhere' })
  const { memory } = initial(1)
  const state: State = { name: 'live', rung: 0, since: 0, memory }
  let subscriber: Subscriber<{ [type: string]: unknown }> = { events: () => {} }
  const answers: ((answer: Answer | Error) => void)[] = []
  vi.spyOn(spoke, 'state', 'get').mockReturnValue(state)
  vi.spyOn(spoke, 'subscribe').mockImplementation((_, to) => {
    subscriber = typeof to === 'function' ? { events: to } : to
    return () => {}
  })
  vi.spyOn(spoke.http, 'send').mockImplementation(
    () =>
      new Promise((resolve, reject) => {
        answers.push((answer) =>
          answer instanceof Error ? reject(answer) : resolve(Response.json({ topics: [{ topic: 'a', ...answer }] })),
        )
      }),
  )
  const roster = new Roster(spoke, 'a', announce)
  const tell = (data: unknown) => subscriber.events([{ type: 'hub.presence', topic: '$presence/a', data }])
  const change = (what: string, subject: string, total: number) =>
    tell({ total, changes: [{ change: what, ...member(subject) }] })
  const names = () => roster.state.members.map(({ subject }) => subject).join(' ')
  return { roster, answers, tell, change, names, subscriber: () => subscriber }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('a list that comes by itself is not asked for', async () => {
  const { roster, answers, tell, names } = setUp()
  tell(list('ann', 'bob'))
  await pass(60_000)
  expect(answers).toHaveLength(0)
  expect(names()).toBe('ann bob')
  roster.close()
})

test('what was told before an answer came is told to the answer', async () => {
  const { roster, answers, change, names } = setUp()
  await pass(300)
  expect(answers).toHaveLength(1)
  change('join', 'cleo', 3)
  change('leave', 'ann', 2)
  expect(roster.state.total).toBeUndefined()
  answers[0]?.(list('ann', 'bob')) // read before both
  await pass(0)
  expect(names()).toBe('bob cleo')
  expect(roster.state.total).toBe(2)
  roster.close()
})

test('what was told shortly before the question is told to the answer as well', async () => {
  const { roster, answers, change, names } = setUp()
  await pass(290)
  change('leave', 'ann', 1)
  await pass(10)
  answers[0]?.(list('ann', 'bob')) // the hub answers from what is a moment old
  await pass(0)
  expect(names()).toBe('bob')
  roster.close()
})

test('an answer that comes after the whole list counts for nothing', async () => {
  const { roster, answers, tell, names } = setUp()
  await pass(300)
  tell(list('bob'))
  answers[0]?.(list('ann'))
  await pass(0)
  expect(names()).toBe('bob')
  roster.close()
})

test('a total that is not how many are known is looked into', async () => {
  const { roster, answers, tell, change, names } = setUp()
  tell(list('ann'))
  change('join', 'cleo', 3) // nobody has told of bob
  await pass(1_000)
  change('join', 'dan', 4) // which is one more reason to ask, and it is asked already
  answers[0]?.(list('ann', 'bob', 'cleo'))
  await pass(0)
  expect(names()).toBe('ann bob cleo dan')
  await pass(60_000)
  expect(answers).toHaveLength(1)
  roster.close()
})

test('no answer is asked for again, ever more rarely; a reset asks anew', async () => {
  const { roster, answers, names, subscriber } = setUp()
  await pass(300)
  answers[0]?.(new Error('cut'))
  await pass(1_600)
  expect(answers).toHaveLength(2)
  answers[1]?.(list('ann'))
  await pass(60_000)
  expect(names()).toBe('ann')
  expect(answers).toHaveLength(2)
  subscriber().reset?.('retention')
  await pass(300)
  expect(answers).toHaveLength(3)
  roster.close()
})

for (const late of [true, false])
  test(`after a reset, what was asked before counts for nothing, and it is asked anew: ${late ? 'with a late answer' : 'with none'}`, async () => {
    const { roster, answers, names, subscriber } = setUp()
    await pass(300)
    subscriber().reset?.('retention')
    await pass(100)
    if (late) answers[0]?.(list('bob'))
    await pass(200)
    expect(names()).toBe('')
    expect(answers).toHaveLength(2)
    answers[1]?.(list('ann'))
    await pass(0)
    expect(names()).toBe('ann')
    roster.close()
  })

test('a refusal that comes during a question has it asked every ten seconds', async () => {
  const { roster, answers, subscriber } = setUp(false)
  await pass(300)
  subscriber().refused?.(new HubError({ code: 'forbidden', status: 403, detail: 'no' }))
  await pass(0)
  answers[0]?.(list('ann'))
  answers[1]?.(list('ann'))
  await pass(10_000)
  expect(answers).toHaveLength(3)
  roster.close()
})

test('a listener that throws stops no other, and is no failed question', async () => {
  const { roster, answers } = setUp()
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const other = vi.fn()
  roster.watch(() => {
    throw new Error('broken')
  })
  roster.watch(other)
  await pass(300)
  answers[0]?.(list('ann'))
  await pass(60_000)
  expect(answers).toHaveLength(1)
  expect(other).toHaveBeenCalledTimes(1)
  expect(said).toHaveBeenCalledTimes(1)
  roster.close()
})

test('too many are known by their number', async () => {
  const { roster, tell } = setUp()
  tell(list('ann'))
  tell({ total: 251 })
  expect(roster.state).toEqual({ members: [], total: 251 })
  roster.close()
})

test('closed, it asks nothing more', async () => {
  const { roster, answers } = setUp()
  roster.close()
  await pass(60_000)
  expect(answers).toHaveLength(0)
})
