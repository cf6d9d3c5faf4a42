import { followPresence, type PresenceState, presenceOn } from '@nave/spoke/presence'
import { useCallback, useSyncExternalStore } from 'react'
import { attendance, isThere } from './attendance.js'
import { clock } from './network.js'
import { useStore } from './store.js'
import { useSeconds } from './ui/seconds.js'
import { useWorkplace } from './workplace.js'

/** Somebody who has the board open, in however many tabs. */
export interface Here {
  readonly user: string
  readonly idle: boolean
}

const topic = 'boards/main'

/** Who is here; undefined where nobody can know. */
export function useHere(): readonly Here[] | undefined {
  const { spoke } = useWorkplace()
  const watch = useCallback(
    (changed: () => void) => {
      if (spoke === undefined) return () => {}
      const follower = followPresence(spoke, topic)
      follower.watch(changed)
      return () => follower.close()
    },
    [spoke],
  )
  const state = useSyncExternalStore<PresenceState | undefined>(watch, () => spoke && presenceOn(spoke, topic))
  const heard = useStore(attendance)
  useSeconds(10) // for those who say nothing any more
  if (state?.total === undefined) return undefined
  const here = new Map(state.members.map(({ subject, idle }) => [subject, idle]))
  for (const each of heard.values()) {
    if (each.polls && !here.has(each.user) && isThere(each, clock.now())) here.set(each.user, each.idle)
  }
  return [...here].map(([user, idle]) => ({ user, idle }))
}
