import { beforeEach, expect, test, vi } from 'vitest'
import type { Answer, Answers } from '../../src/answers.js'
import { type Ask, Refused } from '../../src/api.js'
import type { Card } from '../../src/model.js'
import type { Outcome } from '../../src/outbox.js'
import type { Write } from '../../src/overlay.js'
import { sender } from '../../src/send.js'

type Edit = Extract<Write, { do: 'edit' }>

const base = { title: 'T', text: '', assignee: null }
const edit: Edit = { do: 'edit', card: 'a', base, changes: { title: 'Mine' }, rev: 1 }
const remove: Write = { do: 'delete', card: 'a', rev: 1, title: 'T' }
const card = (rev: number, changes: Partial<Card> = {}): Card => ({
  ...base,
  id: 'a',
  column: 'todo',
  rev,
  updatedBy: 'ada',
  updatedAt: '',
  ...changes,
})
const bens = (rev: number, changes: Partial<Card> = {}) => card(rev, { ...changes, updatedBy: 'ben' })
const refused = (status: number, current?: Card) => new Refused(status, `refused with ${status}`, 7_000, current)

let asked: { method: string; path: string; body: unknown }[]
let taken: Answer[]
const merged = vi.fn()
beforeEach(() => {
  asked = []
  taken = []
  merged.mockClear()
})

/** Sends a write to a server that answers, or throws, one of these after the other, and the last again and again. */
function send(write: Write, ...results: unknown[]): Promise<Outcome> {
  const ask = (async (method: string, path: string, body: unknown) => {
    const result = results[Math.min(asked.length, results.length - 1)]
    asked.push({ method, path, body })
    if (result instanceof Error) throw result
    return result
  }) as Ask
  const answers = { take: async (answer: Answer) => void taken.push(answer) } as unknown as Answers
  return sender({ ask, user: 'ada', answers, merged })(write, 'own')
}

test.each([
  ['no answer', edit, new TypeError('no network'), { kind: 'later', afterMs: 0 }],
  ['overload', edit, refused(429), { kind: 'later', afterMs: 7_000 }],
  ['a server that is ill', remove, refused(503), { kind: 'later', afterMs: 7_000 }],
  ['somebody else’s session', edit, refused(401), { kind: 'later', afterMs: 7_000 }],
  ['what is not allowed', edit, refused(422), { kind: 'refused', why: 'refused with 422' }],
  ['a conflict that names no card', remove, refused(409), { kind: 'refused', why: 'refused with 409' }],
  ['a card that has changed', remove, refused(409, card(2)), { kind: 'conflict', current: card(2) }],
  ['an edit of what is gone', edit, refused(404), { kind: 'gone' }],
  ['an edit of what was deleted', edit, refused(410), { kind: 'gone' }],
  ['a delete of what is gone', remove, refused(404), { kind: 'done' }],
] as const)('%s', async (_, write, answer, outcome) => {
  expect(await send(write, answer)).toEqual(outcome)
})

test('each write is asked for as the API has it, and its answer is taken', async () => {
  const message = { id: 'm', conversation: 'a b', author: 'ada', text: 'Hello', at: '' }
  const user = { id: 'ada', name: 'Ada', status: 'in', rev: 2 }
  const columns = [{ id: 'todo', title: 'To do', cards: ['a'], rev: 2 }]
  const all: readonly [Write, unknown, Outcome, object, Answer][] = [
    [
      { do: 'create', card: 'a', column: 'todo', title: 'T' },
      card(1),
      { kind: 'done', rev: 1 },
      { method: 'POST', path: 'cards', body: { id: 'a', column: 'todo', title: 'T' } },
      { of: 'card', card: card(1) },
    ],
    [
      { do: 'move', card: 'a', to: 'todo', before: null },
      { card: card(4), columns },
      { kind: 'done', rev: 4 },
      { method: 'POST', path: 'cards/a/move', body: { id: 'own', to: 'todo', before: null } },
      { of: 'card', card: card(4), columns },
    ],
    [
      { ...remove, rev: 3 },
      undefined,
      { kind: 'done' },
      { method: 'DELETE', path: 'cards/a?rev=3' },
      { of: 'delete', card: 'a' },
    ],
    [
      { do: 'say', conversation: 'a b', id: 'm', text: 'Hello', at: '' },
      message,
      { kind: 'done' },
      { method: 'POST', path: 'conversations/a%20b/messages', body: { id: 'm', text: 'Hello' } },
      { of: 'message', message },
    ],
    [
      { do: 'status', status: 'in' },
      user,
      { kind: 'done' },
      { method: 'PATCH', path: 'users/me', body: { status: 'in' } },
      { of: 'user', user },
    ],
  ]
  for (const [write, answer, outcome, request, took] of all) {
    expect(await send(write, answer)).toEqual(outcome)
    expect(asked.splice(0)).toMatchObject([request])
    expect(taken.splice(0)).toEqual([took])
  }
})

test('what others have made of other fields is kept, and told', async () => {
  const saved = card(3, { title: 'Mine', text: 'Theirs' })
  expect(await send(edit, refused(409, bens(2, { text: 'Theirs' })), saved)).toEqual({ kind: 'done', rev: 3 })
  expect(asked.map(({ body }) => body)).toEqual([
    { id: 'own', rev: 1, changes: { title: 'Mine' } },
    { id: 'own', rev: 2, changes: { title: 'Mine' } },
  ])
  expect(taken.at(-1)).toEqual({ of: 'card', card: saved })
  expect(merged).toHaveBeenCalledExactlyOnceWith('ben', saved)
})

test('what others have made of the same field is asked about, unless it is the same', async () => {
  const theirs = bens(2, { title: 'Theirs' })
  expect(await send(edit, refused(409, theirs))).toEqual({ kind: 'conflict', current: theirs })
  expect(taken).toEqual([{ of: 'card', card: theirs }])
  expect(asked.splice(0)).toHaveLength(1)
  expect(await send(edit, refused(409, bens(5, { title: 'Mine' })))).toEqual({ kind: 'done' })
  expect(merged).not.toHaveBeenCalled()
})

test('what others have written just so is not written again', async () => {
  const both = { ...edit, changes: { title: 'Mine', text: 'Ours' } }
  expect(await send(both, refused(409, bens(2, { text: 'Ours' })), card(3))).toEqual({ kind: 'done', rev: 3 })
  expect(asked.at(-1)?.body).toEqual({ id: 'own', rev: 2, changes: { title: 'Mine' } })
})

test('a card that only moved needs no word', async () => {
  expect(await send(edit, refused(409, bens(2, { column: 'done' })), card(3))).toEqual({ kind: 'done', rev: 3 })
  expect(merged).not.toHaveBeenCalled()
})

test('an edit for which others are always too fast waits', async () => {
  expect(await send(edit, refused(409, bens(2)))).toEqual({ kind: 'later', afterMs: 0 })
  expect(asked).toHaveLength(6)
})
