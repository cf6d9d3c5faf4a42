import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Outbox, type Outcome } from '../../src/outbox.js'
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
  vi.unstubAllGlobals()
})

interface Tab {
  readonly outbox: Outbox
  readonly sent: Write[]
}

/** The first tab has the lock. */
function tab(answer: (write: Write) => Outcome = () => ({ kind: 'done' })): Tab {
  const sent: Write[] = []
  const send = (write: Write) => {
    sent.push(write)
    return Promise.resolve(answer(write))
  }
  const outbox = new Outbox({ user: 'ada', send, undone: () => {} })
  open.push(outbox)
  return { outbox, sent }
}

const passes = (ms = 0) => vi.advanceTimersByTimeAsync(ms)
const say = (id: string): Write => ({ do: 'say', conversation: 'design', id, text: id, at: '' })
const later: Outcome = { kind: 'later', afterMs: 0 }
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
    current: { ...fields, id: 'a', column: 'todo', rev: 2, updatedBy: 'ben', updatedAt: '' },
  }))
  outbox.add(edit)
  await passes()
  outbox.add(remove, 6_000)
  await passes(10_000)
  expect(outbox.entries.value).toHaveLength(2)
  expect(vi.getTimerCount()).toBe(0)
})
