import { useCallback, useSyncExternalStore } from 'react'
import { followPresence, type PresenceOptions, type PresenceState, presenceOn } from '../presence/index.js'
import { useSpoke } from './provider.js'

const nobody = presenceOn({}, '')

/** Who is on a topic: seen there, and following it, for as long as the component is there. */
export function usePresence(topic: string, { announce = true }: PresenceOptions = {}): PresenceState {
  const spoke = useSpoke()
  return useSyncExternalStore(
    useCallback(
      (changed: () => void) => {
        const follower = followPresence(spoke, topic, { announce })
        follower.watch(changed)
        return () => follower.close()
      },
      [spoke, topic, announce],
    ),
    () => presenceOn(spoke, topic, { announce }),
    () => nobody,
  )
}
