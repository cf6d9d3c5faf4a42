import { QueryClient } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { behind } from '../../src/behind.js'
import { heard, streams } from '../../src/costs.js'
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
