// Who is there, as far as sessions say so: those who poll are in nobody's presence.
import type { EventOf } from '@nave/spoke'
import type { Events } from './model.js'
import { Store } from './store.js'

/** What was heard of a session last. */
export interface Heard {
  readonly user: string
  readonly idle: boolean
  /** Its page polls, and says every 30 s that it is there. */
  readonly polls: boolean
  readonly at: number
}

/** By the session's id. */
export type Attendance = ReadonlyMap<string, Heard>

export const attendance: Store<Attendance> = new Store<Attendance>(new Map())

/**
 * After how long without a word a session is taken for gone: one word may get lost. A live
 * one that is idle or hidden says four times as rarely that it lives, and not that it is hidden.
 */
const silenceMs = { polls: 75_000, live: 2_430_000 } as const

/** People may publish here themselves: more sessions than that are nobody's. */
const most = 200

export function isThere({ polls, at }: Heard, now: number): boolean {
  return now - at < (polls ? silenceMs.polls : silenceMs.live)
}

/** What is known after an event; what has been silent for too long is forgotten. */
export function attendanceAfter(before: Attendance, event: EventOf<Events>, now: number): Attendance {
  const key = event.key
  if (key === undefined || !event.type.startsWith('session.') || event.type === 'session.activity') return before
  const after = new Map([...before].filter(([, heard]) => isThere(heard, now)))
  const { polls } = before.get(key) ?? { polls: isPolled(event.data) }
  after.delete(key)
  if (event.type !== 'session.ended') {
    const idle = event.type === 'session.idle' || (event.type === 'session.heartbeat' && isIdle(event.data))
    after.set(key, { user: userOf(event), idle, polls, at: Date.parse(event.time ?? '') || now })
  }
  for (const first of after.keys()) if (after.size > most) after.delete(first)
  return after
}

/** Whether an event tells of nobody's coming, going or idling: another session is there, or it was so before. */
export function isNoNews(before: Attendance, event: EventOf<Events>, now: number): boolean {
  if (event.type === 'session.idle') return before.get(event.key ?? '')?.idle === true
  if (event.type !== 'session.started' && event.type !== 'session.ended') return false
  const user = userOf(event)
  return [...before].some(([key, heard]) => key !== event.key && heard.user === user && isThere(heard, now))
}

function userOf({ topic }: EventOf<Events>): string {
  return topic.slice('sessions/'.length)
}

/** The API says it for those who poll, and names them. */
function isPolled(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'user' in data
}

function isIdle(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'state' in data && data.state === 'idle'
}
