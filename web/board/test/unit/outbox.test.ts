import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Failure, Outbox, type Outcome } from '../../src/outbox.js'
import type { Write } from '../../src/overlay.js'

/** What of a browser an outbox sees: its storage, and the lock that one tab has. */
class Browser {
  readonly kept = new Map<string, string>()
  full = false
  #locks: (() => void)[] = []

  constructor() {
    const browser = this
    const methods = {
      getItem: (key: string) => browser.kept.get(key) ?? null,
      removeItem: (key: string) => void browser.kept.delete(key),
      setItem(key: string, value: string) {
        if (browser.full) throw new DOMException('there is no room', 'QuotaExceededError')
        browser.kept.set(key, value)
      },
    }
    const storage = new Proxy(methods, {
      ownKeys: () => [...browser.kept.keys()],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    })
    vi.stubGlobal('localStorage', storage)
    vi.stubGlobal('window', new EventTarget())
    vi.stubGlobal('navigator', {
      locks: { request: (_name: string, _options: object, lead: () => void) => Promise.resolve(browser.#wait(lead)) },
    })
  }

  #wait(lead: () => void): void {
    this.#locks.push(lead)
    if (this.#locks.length === 1) lead()
  }
}

let browser: Browser
let open: Outbox[]
beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
  browser = new Browser()
  open = []
})
afterEach(() => {
  for (const outbox of open) outbox.close()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

interface Tab {
  readonly outbox: Outbox
  readonly sent: Write[]
  readonly undone: Failure[]
}

/** The first tab has the lock. */
function tab(answer: (write: Write) => Outcome | Promise<Outcome> = () => ({ kind: 'done' })): Tab {
  const sent: Write[] = []
  const undone: Failure[] = []
  const send = async (write: Write) => {
    sent.push(write)
    return answer(write)
  }
  const outbox = new Outbox({ user: 'ada', send, undone: (failure) => undone.push(failure) })
  open.push(outbox)
  return { outbox, sent, undone }
}

const passes = (ms = 0) => vi.advanceTimersByTimeAsync(ms)
const say = (id: string): Write => ({ do: 'say', conversation: 'design', id, text: id, at: '' })
const later: Outcome = { kind: 'later', afterMs: 0 }
const current = { title: 'Theirs', text: '', assignee: null, id: 'a', column: 'todo', updatedBy: 'ben', updatedAt: '' }
const fields = { title: 'T', text: '', assignee: null }
const edit: Write = { do: 'edit', card: 'a', base: fields, changes: { title: 'Mine' }, rev: 1 }
const remove: Write = { do: 'delete', card: 'a', rev: 1, title: 'T' }

test('a write is kept by any tab, and sent by the one with the lock', async () => {
  tab(() => later)
  const second = tab()
  second.outbox.add(say('a'))
  await passes(60_000)
  expect(second.sent).toEqual([])
  expect(browser.kept.size).toBe(1)
  expect(second.outbox.entries.value[0]?.unkept).toBeUndefined()
})

test('what there is no room for is sent by the tab that has it, and said to be unkept', async () => {
  tab()
  const second = tab()
  browser.full = true
  second.outbox.add(say('a'))
  expect(second.outbox.entries.value).toMatchObject([{ unkept: true }])
  await passes()
  expect(second.sent).toEqual([say('a')])
  expect(second.outbox.entries.value).toEqual([])
})

test('what is damaged in storage is removed, and holds up nothing', async () => {
  for (const [i, text] of ['{oops', 'null', '7', '{"key":7}', '{"key":"k","write":null}'].entries())
    browser.kept.set(`board write ada ${i}`, text)
  browser.kept.set('board write ben 1', '{oops')
  const { outbox, sent } = tab()
  expect(outbox.entries.value).toEqual([])
  expect([...browser.kept.keys()]).toEqual(['board write ben 1'])
  outbox.add(say('a'))
  await passes()
  expect(sent).toEqual([say('a')])
})

test('a clock that was set back changes no order', async () => {
  const first = tab(() => later)
  first.outbox.add(say('a'))
  await passes()
  first.outbox.close()
  vi.setSystemTime(1_600_000_000_000)
  const { outbox } = tab(() => later)
  outbox.add(say('b'))
  outbox.add(say('c'))
  expect(outbox.entries.value.map(({ write }) => write)).toEqual([say('a'), say('b'), say('c')])
})

test('words that cannot be had are kept until somebody has dealt with them, and hold up nothing', async () => {
  const { outbox, sent } = tab((write) => (write.do === 'edit' ? { kind: 'gone' } : { kind: 'done' }))
  const key = outbox.add(edit)
  await passes()
  outbox.add(remove)
  await passes()
  expect(sent).toEqual([edit, remove])
  expect(outbox.entries.value).toEqual([])
  const again = tab()
  expect(again.outbox.failed.value).toMatchObject([{ key, write: edit, failed: { kind: 'gone' } }])
  again.outbox.remove(key)
  expect(tab().outbox.failed.value).toEqual([])
})

test('one that waits behind another that is to be decided costs nothing', async () => {
  const { outbox } = tab(() => ({
    kind: 'conflict',
    current: { ...current, rev: 2 },
  }))
  outbox.add(edit)
  await passes()
  outbox.add(remove, 6_000)
  await passes(10_000)
  expect(outbox.entries.value).toHaveLength(2)
  expect(vi.getTimerCount()).toBe(0)
})

test('what cannot be sent now holds up nothing else', async () => {
  const { outbox, sent } = tab((write) => (write === edit ? later : { kind: 'done' }))
  outbox.add(edit)
  outbox.add(say('b'))
  await passes(1_500)
  expect(sent.slice(0, 2)).toEqual([edit, say('b')])
})

test('it is tried again after ever longer pauses, and not before the server wants it', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const { outbox, sent } = tab(() => ({ kind: 'later', afterMs: sent.length > 3 ? 60_000 : 0 }))
  outbox.add(edit)
  for (const [ms, times] of [
    [1_000, 2],
    [1_999, 2],
    [1, 3],
    [3_999, 3],
    [1, 4],
    [59_999, 4],
    [1, 5],
  ] as const) {
    await passes(ms)
    expect(sent).toHaveLength(times)
  }
})

test('it is tried at once when the network is back', async () => {
  const { outbox, sent } = tab(() => ({ kind: 'later', afterMs: 60_000 }))
  outbox.add(edit)
  await passes()
  expect(outbox.stuck.value).toBe(true)
  window.dispatchEvent(new Event('online'))
  await passes()
  expect(sent).toHaveLength(2)
})

test('when 200 wait no more is taken, until one is through', () => {
  const { outbox } = tab(() => later)
  const keys = Array.from({ length: 200 }, (_, i) => outbox.add(say(String(i))))
  expect(() => outbox.add(say('more'))).toThrow(/200 changes wait/)
  outbox.remove(keys[7] ?? '')
  outbox.add(say('more'))
  expect(outbox.entries.value.map(({ write }) => write)).toContainEqual(say('more'))
  expect(outbox.entries.value).toHaveLength(200)
})

test('what was taken back while it was sent stays away, whatever is answered', async () => {
  for (const outcome of [{ kind: 'conflict', current: { ...current, rev: 2 } }, { kind: 'gone' }] as const) {
    let answer: (outcome: Outcome) => void = () => {}
    const { outbox } = tab(() => new Promise((resolve) => (answer = resolve)))
    const key = outbox.add(edit)
    await passes()
    outbox.remove(key)
    answer(outcome)
    await passes()
    expect(outbox.entries.value).toEqual([])
    expect(outbox.failed.value).toEqual([])
    outbox.close()
    browser = new Browser()
  }
})

test('what cannot be done and has no words is told of, once, and all else is not', async () => {
  const refused: Failure = { kind: 'refused', why: 'no such column' }
  const { outbox, undone } = tab((write) => (write.do === 'status' ? { kind: 'done' } : refused))
  outbox.add({ do: 'status', status: 'here' })
  outbox.add(edit)
  await passes()
  expect(undone).toEqual([])
  outbox.add({ do: 'move', card: 'b', to: 'attic', before: null })
  await passes(60_000)
  expect(undone).toEqual([refused])
  expect(outbox.entries.value).toEqual([])
  expect(outbox.failed.value).toMatchObject([{ write: edit }])
})

test('what was written after a write of one’s own knows of it, but not of what others wrote', async () => {
  const next = { ...edit, changes: { text: 'More' } }
  let rev = 1
  const { outbox, sent } = tab(() => ({ kind: 'done', rev: ++rev }))
  for (const write of [edit, next, remove, { ...remove, card: 'b' }]) outbox.add(write)
  await passes()
  // An edit says by its base what it knew.
  expect(sent).toEqual([edit, next, { ...remove, rev: 3 }, { ...remove, card: 'b' }])

  outbox.close()
  browser = new Browser()
  const merged = tab(() => ({ kind: 'done', rev: 3 })) // over somebody else's 2
  for (const write of [edit, remove]) merged.outbox.add(write)
  await passes()
  expect(merged.sent).toEqual([edit, remove])
})

test('a write has one id whenever it is sent, by whichever tab, and no other has it', async () => {
  const ids: string[] = []
  const opened = () => {
    const send = async (_: Write, id: string) => {
      ids.push(id)
      return later
    }
    const outbox = new Outbox({ user: 'ada', send, undone: () => {} })
    open.push(outbox)
    return outbox
  }
  const outbox = opened()
  outbox.add(edit)
  await passes()
  outbox.close()
  await passes()
  browser = Object.assign(new Browser(), { kept: browser.kept })
  opened().add({ ...edit, card: 'b' })
  const [first, ...again] = ids.splice(0)
  await passes(60_000)
  expect(again).toEqual([])
  expect(ids).toContain(first)
  expect(new Set(ids).size).toBe(2)
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/) // as the API wants it
})
