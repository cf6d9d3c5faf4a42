import { followPresence, type PresenceState, presenceOn } from '@nave/spoke/presence'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
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
  return useMemo(
    () =>
      state?.total === undefined ? undefined : state.members.map(({ subject, idle }) => ({ user: subject, idle })),
    [state],
  )
}
