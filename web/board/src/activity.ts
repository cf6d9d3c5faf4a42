import type { EventOf, Spoke } from '@nave/spoke'
import { attendance, attendanceAfter, isNoNews } from './attendance.js'
import type { Events } from './model.js'
import { clock } from './network.js'
import { Store } from './store.js'

/** What somebody did, in words. */
export interface Deed {
  readonly user: string
  readonly what: string
  readonly at: number
}

/** What people did last, the latest first. */
export const deeds: Store<readonly Deed[]> = new Store<readonly Deed[]>([])

const most = 8
const mostWords = 100

const left = 'left'

/** Who comes back that soon has not been away. */
const backMs = 10_000

const words: Partial<Record<keyof Events, string>> = {
  'session.started': 'came',
  'session.idle': 'went idle',
  'session.active': 'is back',
  'session.ended': left,
}

/** Follows what sessions say, and returns what ends that. */
export function followActivity(spoke: Spoke<Events>): () => void {
  deeds.set([])
  attendance.set(new Map())
  return spoke.subscribe('sessions/*', (events) => {
    for (const event of events) {
      const before = attendance.value
      attendance.set(attendanceAfter(before, event, clock.now()))
      if (!isNoNews(before, event, clock.now())) deeds.set(deedsAfter(deeds.value, event))
    }
  })
}

/** Exported for its tests. */
export function deedsAfter(before: readonly Deed[], event: EventOf<Events>): readonly Deed[] {
  const user = event.topic.slice('sessions/'.length)
  const at = Date.parse(event.time ?? '') || Date.now()
  // Who loads the page anew, or goes from polling to live, has neither left nor come.
  const last = before.find((deed) => deed.user === user)
  const isBack = last?.what === left && at - last.at < backMs
  if (event.type === 'session.started' && (event.data?.continued || isBack))
    return last?.what === left ? before.filter((deed) => deed !== last) : before
  const known = Object.hasOwn(words, event.type) ? words[event.type] : undefined
  const what: unknown = event.type === 'session.activity' ? event.data?.what : known
  // People may publish here themselves, and whatever they like.
  return typeof what === 'string' ? [{ user, what: what.slice(0, mostWords), at }, ...before].slice(0, most) : before
}
