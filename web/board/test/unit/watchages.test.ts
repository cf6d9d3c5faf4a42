import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Ages } from '../../src/ages.js'
import type { Card, Message } from '../../src/model.js'
import { keys } from '../../src/queries.js'
import { watchAges } from '../../src/watchages.js'

const at = Date.parse('2026-01-01T00:00:00Z')
let page: { hidden: boolean }
let client: QueryClient
let ages: Ages
let now: number
let end: () => void

beforeEach(() => {
  page = { hidden: false }
  vi.stubGlobal('document', page)
  client = new QueryClient()
  ages = new Ages()
  end = watchAges(
    client,
    'ada',
    () => now,
    () => ages,
  )
})
afterEach(() => {
  end()
  client.clear()
  vi.unstubAllGlobals()
})

/** The board comes onto the screen, some time after its card has changed. */
function shown(rev: number, updatedBy: string, ms: number): void {
  const card: Card = {
    id: 'a',
    title: 'A',
    text: '',
    assignee: null,
    column: 'todo',
    rev,
    updatedBy,
    updatedAt: new Date(at + rev * 60_000).toISOString(),
  }
  now = at + rev * 60_000 + ms
  client.setQueryData(keys.board, { columns: [], cards: [card] })
}

test('a change of somebody else is as old as it is when it is first shown', () => {
  shown(1, 'ben', 50_000)
  expect(ages.count).toBe(0)
  shown(2, 'ben', 7_000)
  shown(2, 'ben', 9_000)
  expect(ages.count).toBe(1)
  expect(ages.quantile(1)).toBe(7_000)
})

test('what one does oneself, or nobody sees, has no age', () => {
  shown(1, 'ben', 0)
  shown(2, 'ada', 7_000)
  page.hidden = true
  shown(3, 'ben', 7_000)
  page.hidden = false
  shown(3, 'ben', 8_000)
  expect(ages.count).toBe(0)
})

test('messages have ages as cards have', () => {
  const message: Message = {
    id: 'm',
    conversation: 'c',
    author: 'ben',
    text: 'Hello',
    at: new Date(at).toISOString(),
  }
  now = at + 400
  client.setQueryData([...keys.messages, 'c'], [])
  client.setQueryData([...keys.messages, 'c'], [message])
  expect(ages.quantile(1)).toBe(400)
})
