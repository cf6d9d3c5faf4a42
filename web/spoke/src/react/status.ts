import { useCallback, useSyncExternalStore } from 'react'
import { initial, type State, type StateName } from '../machine/state.js'
import { useSpoke } from './provider.js'

/** What a server says, and a page until it has taken over what the server has rendered. */
const atFirst = initial(1)

const name = (state: State) => state.name

/**
 * How the spoke is connected: the name of its state, or what is chosen of that;
 * renders when it changes. What `select` returns is compared with Object.is, so it is
 * best a text, a number or a flag.
 */
export function useHubStatus(): StateName
export function useHubStatus<Chosen>(select: (state: State) => Chosen): Chosen
export function useHubStatus(select: (state: State) => unknown = name): unknown {
  const spoke = useSpoke()
  return useSyncExternalStore(
    useCallback((changed: () => void) => spoke.watch(changed), [spoke]),
    () => select(spoke.state),
    () => select(atFirst),
  )
}
