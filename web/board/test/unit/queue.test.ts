import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Answers } from '../../src/answers.js'
import { type Ask, Refused } from '../../src/api.js'
import { newId } from '../../src/id.js'
import type { Card } from '../../src/model.js'
import { Outbox, type Outcome } from '../../src/outbox.js'
import type { Write } from '../../src/overlay.js'
import { sender } from '../../src/send.js'

let kept: Map<string, string>
let open: Outbox | undefined
let card: Card
/** What the server was asked. */
let asked: string[]
let merged: string[]

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
  kept = new Map()
  const methods = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }
  const storage = new Proxy(methods, {
    ownKeys: () => [...kept.keys()],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  })
  vi.stubGlobal('localStorage', storage)
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('navigator', {})
  card = { id: 'a', title: 'T', text: '', assignee: null, column: 'todo', rev: 1, updatedBy: 'ben', updatedAt: '' }
  asked = []
  merged = []
})
afterEach(() => {
  open?.close()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const passes = (ms = 0) => vi.advanceTimersByTimeAsync(ms)
const change = (by: string, changes: Partial<Card>) => {
  card = { ...card, ...changes, rev: card.rev + 1, updatedBy: by }
  return card
}

/** As the board's API: a change that is so already is answered with the card as it is. */
function answer(method: string, path: string, body: unknown): unknown {
  const { rev, changes = {} } = (body ?? {}) as { rev?: number; changes?: Partial<Card> }
  const says = (known: unknown) => {
    if (known !== card.rev) throw new Refused(409, 'it has changed', 0, card)
  }
  if (path.endsWith('/move')) return { card, columns: [] }
  if (method === 'DELETE') return says(Number(new URLSearchParams(path.split('?')[1]).get('rev')))
  const isSo = Object.entries(changes).every(([name, value]) => card[name as keyof Card] === value)
  if (isSo) return card
  says(rev)
  return change('ada', changes)
}

function outbox(): Outbox {
  const ask = (async (method: string, path: string, body?: unknown) => {
    asked.push(method)
    return answer(method, path, body)
  }) as Ask
  const answers = { take: async () => {} } as unknown as Answers
  const send = sender({ ask, answers, user: 'ada', merged: (by) => void merged.push(by) })
  open = new Outbox({ user: 'ada', send, undone: () => {} })
  return open
}

const base = { title: 'T', text: '', assignee: null }
const edit = (changes: Partial<typeof base>, to = base): Write => ({ do: 'edit', card: 'a', base: to, changes, rev: 1 })
const move: Write = { do: 'move', card: 'a', to: 'doing', before: null }
const remove: Write = { do: 'delete', card: 'a', rev: 1, title: 'T' }
const conflicts = ({ entries }: Outbox) => entries.value.map(({ conflict }) => conflict?.updatedBy)

test('an edit that waits behind one that is so already asks before it overwrites what made it so', async () => {
  const waits = outbox()
  waits.add(edit({ title: 'U' }))
  waits.add(edit({ text: 'mine' }, { ...base, title: 'U' }))
  change('ben', { title: 'U', text: 'his' })
  await passes()
  expect(card.text).toBe('his')
  expect(conflicts(waits)).toEqual(['ben'])
})

test('an edit that waits behind a move whose answer comes late asks as well', async () => {
  const waits = outbox()
  waits.add(move)
  waits.add(edit({ title: 'mine' }))
  change('ben', { title: 'his' })
  await passes()
  expect(card.title).toBe('his')
  expect(conflicts(waits)).toEqual(['ben'])
})

test('a delete that waits behind such a move asks, and one behind a change of one’s own does not', async () => {
  const waits = outbox()
  waits.add(move)
  const key = waits.add(remove)
  change('ben', { title: 'his' })
  await passes()
  expect(conflicts(waits)).toEqual(['ben'])
  waits.remove(key)
  waits.add(edit({ text: 'mine' }, { ...base, title: 'his' }))
  waits.add({ ...remove, rev: 2 })
  await passes()
  expect(asked.at(-1)).toBe('DELETE')
  expect(waits.entries.value).toEqual([])
})

test('edits of one person that follow each other are not asked about, nor told of', async () => {
  const waits = outbox()
  waits.add(edit({ title: 'U' }))
  waits.add(edit({ title: 'V' }, { ...base, title: 'U' }))
  waits.add(edit({ text: 'and this' }, { ...base, title: 'V' }))
  await passes()
  expect(card).toMatchObject({ title: 'V', text: 'and this', rev: 4 })
  expect(waits.entries.value).toEqual([])
  expect(merged).toEqual([])
})

test('a page that did not come over HTTPS, and has no randomUUID, writes as well', async () => {
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
  outbox().add(edit({ title: 'U' }))
  await passes()
  expect(card.title).toBe('U')
  expect(newId()).toMatch(/^[A-Za-z0-9_-]{1,64}$/) // as the API wants ids
  expect(newId()).not.toBe(newId())
})

test('what is odd in storage is dropped, and holds up nothing', async () => {
  const say = { do: 'say', conversation: 'design', id: 's', text: 'hello', at: '' }
  const odd: unknown[] = [
    { write: { do: 'vote', card: 'a' } },
    { write: { do: 'toString' } },
    { write: { do: 'edit', card: 'a' } },
    { write: { ...edit({}), base: { title: 'T' } } },
    { write: { ...edit({}), changes: { title: 7 } } },
    { write: { ...move, before: undefined } },
    { write: say, conflict: {} },
    { write: say, failed: { kind: 'refused' } },
    { write: say, notBefore: 'soon' },
    { write: say, key: 'board write ada another' },
  ]
  for (const [i, entry] of odd.entries()) {
    const key = `board write ada ${i}`
    kept.set(key, JSON.stringify({ key, ...(entry as object) }))
  }
  const waits = outbox()
  expect([...kept]).toEqual([])
  expect(waits.failed.value).toEqual([])
  for (const write of [edit({ title: 'U' }), move, remove, say as Write]) {
    const key = `board write ada ${write.do}`
    const there = Object.assign(new Event('storage'), { key, newValue: JSON.stringify({ key, write }) })
    window.dispatchEvent(there)
  }
  expect(waits.entries.value).toHaveLength(4)
  const vote = {
    key: 'board write ada 1',
    newValue: JSON.stringify({ key: 'board write ada 1', write: { do: 'vote' } }),
  }
  window.dispatchEvent(Object.assign(new Event('storage'), vote))
  await passes()
  expect(card.title).toBe('U')
})

test('what cannot be sent for an error of the page’s own ends nothing', async () => {
  const sent: string[] = []
  const send = async (write: Write): Promise<Outcome> => {
    sent.push(write.do)
    if (write.do === 'move') throw new TypeError('oops')
    return { kind: 'done' }
  }
  open = new Outbox({ user: 'ada', send, undone: () => {} })
  const key = open.add(move)
  await passes()
  open.add(remove)
  await passes()
  expect(sent).toEqual(['move', 'delete'])
  expect(open.failed.value).toMatchObject([{ key, failed: { kind: 'refused', why: 'TypeError: oops' } }])
})

test('a clock that was set back holds nothing up', async () => {
  const waits = outbox()
  waits.add(remove, 6_000)
  await passes(5_900)
  expect(asked).toEqual([])
  vi.setSystemTime(Date.now() - 3_600_000)
  await passes(100)
  expect(asked).toEqual(['DELETE'])
})
