import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Answers } from '../../src/answers.js'
import type { Board, Card } from '../../src/model.js'
import { keys } from '../../src/queries.js'

const card = (rev: number): Card => ({
  id: 'a',
  title: `as of ${rev}`,
  text: '',
  assignee: null,
  column: 'todo',
  rev,
  updatedBy: 'ada',
  updatedAt: '2026-01-01T00:00:00Z',
})
const board = (rev: number): Board => ({ columns: [], cards: [card(rev)] })

const tab = new EventTarget()
const kept: string[] = []
let client: QueryClient
let answers: Answers
beforeEach(() => {
  vi.stubGlobal('window', tab)
  vi.stubGlobal('localStorage', { setItem: (_key: string, value: string) => kept.push(value), removeItem: () => {} })
  client = new QueryClient()
  answers = new Answers(client, 'ada')
})
afterEach(() => {
  answers.close()
  client.clear()
  vi.unstubAllGlobals()
})

const revs = () => client.getQueryData<Board>(keys.board)?.cards.map(({ rev }) => rev)

test('what is fetched when an answer comes may be older: it does not undo it, and is fetched anew', async () => {
  const fetches: ((board: Board) => void)[] = []
  client.setQueryData(keys.board, board(1))
  const queryFn = () => new Promise<Board>((resolve) => fetches.push(resolve))
  const end = new QueryObserver(client, { queryKey: keys.board, queryFn }).subscribe(() => {})
  await vi.waitFor(() => expect(fetches).toHaveLength(1))
  await answers.take({ of: 'card', card: card(2) })
  fetches[0]?.(board(1))
  await vi.waitFor(() => expect(fetches).toHaveLength(2))
  expect(revs()).toEqual([2])
  fetches[1]?.(board(3))
  await vi.waitFor(() => expect(revs()).toEqual([3]))
  end()
})

test('nor does it when nobody looks any more at what is fetched', async () => {
  client.setQueryData(keys.board, board(1))
  let come: (board: Board) => void = () => {}
  const queryFn = () => new Promise<Board>((resolve) => (come = resolve))
  const fetched = client.fetchQuery({ queryKey: keys.board, queryFn }).catch(() => {})
  await answers.take({ of: 'card', card: card(2) })
  come(board(1))
  await fetched
  expect(revs()).toEqual([2])
})

test('an answer that comes while nothing is fetched costs no request, and an older one changes nothing', async () => {
  const queryFn = vi.fn(() => Promise.resolve(board(9)))
  client.setQueryData(keys.board, board(2))
  const end = new QueryObserver(client, { queryKey: keys.board, queryFn, staleTime: 60_000 }).subscribe(() => {})
  await answers.take({ of: 'card', card: card(1) })
  expect(revs()).toEqual([2])
  await answers.take({ of: 'card', card: card(3) })
  expect(revs()).toEqual([3])
  expect(queryFn).not.toHaveBeenCalled()
  end()
})

test('the other tabs of the same person have it too', async () => {
  client.setQueryData(keys.board, board(1))
  await answers.take({ of: 'delete', card: 'b' })
  expect(JSON.parse(kept.at(-1) ?? '')).toEqual({ of: 'delete', card: 'b' })
  const hears = (user: string) =>
    tab.dispatchEvent(
      Object.assign(new Event('storage'), {
        key: `board answer ${user}`,
        newValue: JSON.stringify({ of: 'card', card: card(2) }),
      }),
    )
  hears('ben')
  expect(revs()).toEqual([1])
  hears('ada')
  expect(revs()).toEqual([2])
})
