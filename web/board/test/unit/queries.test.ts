import { QueryClient } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { Refused } from '../../src/api.js'
import { behind } from '../../src/behind.js'
import { asked, askedForEvents, heard, streams } from '../../src/costs.js'
import type { Board } from '../../src/model.js'
import * as queries from '../../src/queries.js'

const live = { state: { name: 'live' } } as never

test('whoever polls asks for all at its interval, and for messages when the list tells of them', () => {
  expect(queries.board(undefined).refetchInterval).toBe(30_000)
  expect(queries.users(undefined).refetchInterval).toBe(300_000)
  expect(queries.conversations(undefined).refetchInterval).toBe(10_000)
  expect(queries.messages(undefined, 'general')).not.toHaveProperty('refetchInterval')
})

test('what is shown is at most as old as what was fetched longest ago', () => {
  const client = new QueryClient()
  expect(behind(client, undefined)).toBeUndefined()
  client.setQueryData(queries.keys.board, { columns: [], cards: [] }, { updatedAt: 9_000 })
  client.setQueryData(queries.keys.users, [], { updatedAt: 4_000 })
  expect(behind(client, undefined, 10_000)).toBeUndefined()
  client.setQueryData(queries.keys.conversations, [], { updatedAt: 9_500 })
  expect(behind(client, undefined, 10_000)).toBe(6_000)
})

test('live it is as old as the stream is silent, which only the tab that has it knows', () => {
  const client = new QueryClient()
  heard.set(performance.now() - 3_000)
  expect(behind(client, live)).toBeUndefined()
  streams.set(1)
  expect(behind(client, live)).toBeGreaterThanOrEqual(3_000)
  expect(behind(client, live)).toBeLessThan(60_000)
})

test('by pages it is as old as the last answer is, which only the tab that asks knows', () => {
  const client = new QueryClient()
  const byPages = { state: { name: 'polling' } } as never
  streams.set(0)
  heard.set(performance.now() - 3_000)
  asked('/api/cards/a', { method: 'PATCH' })
  asked('https://board.example/v1/events', { method: 'POST' })
  expect(behind(client, byPages)).toBeUndefined()
  asked('https://board.example/v1/events?topic=cards', {})
  expect(behind(client, byPages)).toBeGreaterThanOrEqual(3_000)
  askedForEvents.set(performance.now() - 61_000) // another tab leads since
  expect(behind(client, byPages)).toBeUndefined()
})

test('what has not come is asked for until it has or is refused', () => {
  for (const query of [queries.board(undefined), queries.board(live), queries.messages(undefined, 'design')]) {
    const retry = query.retry as (failures: number, error: Error) => boolean
    expect(retry(99, new TypeError('no network'))).toBe(true)
    expect(retry(99, new Refused(503, '', 0, undefined))).toBe(true)
    expect(retry(0, new Refused(404, '', 0, undefined))).toBe(false)
  }
})

test('cards that were deleted are remembered over a fetch', async () => {
  const client = new QueryClient()
  vi.stubGlobal('fetch', async () => Response.json({ columns: [], cards: [] }))
  const fetched = () => client.fetchQuery(queries.board(undefined))
  expect(await fetched()).toEqual({ columns: [], cards: [] })
  client.setQueryData<Board>(queries.keys.board, { columns: [], cards: [], gone: ['a'] })
  expect(await fetched()).toEqual({ columns: [], cards: [], gone: ['a'] })
  vi.unstubAllGlobals()
})

test('a server answers until one fetch has failed, and again when that has come', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const fetch = (queryFn: () => Promise<unknown>) =>
    client.fetchQuery({ queryKey: queries.keys.users, queryFn }).catch(() => {})
  const fails = (error: Error) => fetch(() => Promise.reject(error))
  expect(queries.isAnswered(client)).toBe(true)
  await fetch(async () => [])
  expect(queries.isAnswered(client)).toBe(true)
  await fails(new TypeError('no network'))
  expect(queries.isAnswered(client)).toBe(false)
  await fails(new Refused(404, '', 0, undefined))
  expect(queries.isAnswered(client)).toBe(true)
  await fails(new Refused(502, '', 0, undefined))
  expect(queries.isAnswered(client)).toBe(false)
  await fetch(async () => [])
  expect(queries.isAnswered(client)).toBe(true)
})
