import type { EventOf, Spoke } from '@nave/spoke'
import type { Events } from './model.js'
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

const words: Partial<Record<keyof Events, string>> = {
  'session.started': 'came',
  'session.idle': 'went idle',
  'session.active': 'is back',
  'session.ended': 'left',
}

/** Follows what sessions say, and returns what ends that. */
export function followActivity(spoke: Spoke<Events>): () => void {
  deeds.set([])
  return spoke.subscribe('sessions/*', (events) => {
    const news = events.flatMap((event) => deedOf(event) ?? [])
    if (news.length > 0) deeds.set([...news.reverse(), ...deeds.value].slice(0, most))
  })
}

function deedOf(event: EventOf<Events>): Deed | undefined {
  const user = event.topic.slice('sessions/'.length)
  const at = Date.parse(event.time ?? '') || Date.now()
  const what = event.type === 'session.activity' ? event.data?.what : words[event.type]
  return what === undefined ? undefined : { user, what, at }
}
