import type { EventOf } from '@nave/spoke'
import { expect, test } from 'vitest'
import { type Attendance, attendanceAfter, isNoNews, isThere } from '../../src/attendance.js'
import type { Events } from '../../src/model.js'

const start = Date.parse('2026-01-01T00:00:00Z')

function said(what: 'started' | 'heartbeat' | 'idle' | 'ended', key: string, s = 0, polls = true): EventOf<Events> {
  const data =
    what === 'ended' ? undefined : { state: what === 'idle' ? 'idle' : 'active', ...(polls && { user: 'dan' }) }
  return {
    type: `session.${what}`,
    topic: 'sessions/dan',
    key,
    time: new Date(start + s * 1_000).toISOString(),
    data,
  } as EventOf<Events>
}

function after(...events: readonly EventOf<Events>[]): Attendance {
  return events.reduce<Attendance>(
    (before, event) => attendanceAfter(before, event, Date.parse(event.time ?? '')),
    new Map(),
  )
}

test('one who polls is there from the first word until the last, or until there is none', () => {
  const dan = after(said('started', 'a'), said('heartbeat', 'a', 30)).get('a')
  expect(dan).toMatchObject({ user: 'dan', polls: true, idle: false })
  expect(dan && isThere(dan, start + 100_000)).toBe(true)
  expect(dan && isThere(dan, start + 110_000)).toBe(false)
  expect(after(said('started', 'a'), said('ended', 'a', 1)).size).toBe(0)
  expect(after(said('started', 'a'), said('started', 'b', 200)).has('a')).toBe(false)
})

test('one who does nothing is idle, until more is heard', () => {
  expect(after(said('started', 'a'), said('idle', 'a', 60)).get('a')?.idle).toBe(true)
  expect(after(said('idle', 'a'), said('heartbeat', 'a', 30)).get('a')?.idle).toBe(false)
  expect(isNoNews(after(said('idle', 'a')), said('idle', 'a', 30), start + 30_000)).toBe(true)
  expect(isNoNews(after(said('started', 'a')), said('idle', 'a', 60), start + 60_000)).toBe(false)
})

test('one who is live is there although only a hidden tab is left, which speaks every 20 min', () => {
  const live = (what: 'started' | 'idle' | 'ended', key: string, s: number) => said(what, key, s, false)
  const hidden = after(live('started', 'a', 0), live('idle', 'a', 60))
  expect(isNoNews(hidden, live('started', 'b', 1_250), start + 1_250_000)).toBe(true)
  const both = after(live('started', 'a', 0), live('started', 'b', 1_150))
  expect(isNoNews(both, live('ended', 'b', 1_190), start + 1_190_000)).toBe(true)
  expect(isNoNews(hidden, live('started', 'b', 2_500), start + 2_500_000)).toBe(false)
})

test('who goes from polling to live neither comes nor leaves, whichever is heard first', () => {
  const polling = after(said('started', 'a'))
  expect(isNoNews(polling, said('started', 'b', 9, false), start + 9_000)).toBe(true)
  const both = after(said('started', 'a'), said('started', 'b', 9, false))
  expect(isNoNews(both, said('ended', 'a', 9), start + 9_000)).toBe(true)
  expect(both.get('b')?.polls).toBe(false)
  expect(isNoNews(new Map(), said('started', 'a'), start)).toBe(false)
  expect(isNoNews(polling, said('ended', 'a', 9), start + 9_000)).toBe(false)
})
