/**
 * The spoke in React: hooks of a few lines over one spoke that the application makes.
 *
 * @module
 */
import {
  type Context,
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useRef,
  useSyncExternalStore,
} from 'react'
import type { State } from '../machine/state.js'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'
import type { SubscribeOptions, Subscriber } from '../subscription.js'

const Provided: Context<unknown> = createContext<unknown>(undefined)

/** Gives a spoke to all below. It neither opens nor closes it. */
export function SpokeProvider<Map extends object>(properties: {
  readonly spoke: Spoke<Map>
  readonly children?: ReactNode
}): ReactNode {
  return createElement(Provided.Provider, { value: properties.spoke }, properties.children)
}

/** The spoke. */
export function useSpoke<Map extends object = EventMap>(): Spoke<Map> {
  const spoke = useContext(Provided)
  if (spoke === undefined) throw new Error('useSpoke: there is no SpokeProvider around this component')
  return spoke as Spoke<Map>
}

/**
 * What is chosen of the spoke's state; renders when that changes. What `select`
 * returns is compared with Object.is, so it is best a text, a number or a flag.
 */
export function useSpokeState<Chosen>(select: (state: State) => Chosen): Chosen {
  const spoke = useSpoke()
  const chosen = () => select(spoke.state)
  return useSyncExternalStore((changed) => spoke.watch(changed), chosen, chosen)
}

/**
 * Follows filters for as long as the component is there. Callbacks may change with
 * every render; filters and options begin a new subscription when they do.
 */
export function useEvents<Map extends object = EventMap>(
  filters: string | readonly string[],
  subscriber: Subscriber<Map> | Subscriber<Map>['events'],
  options: SubscribeOptions = {},
): void {
  const spoke = useSpoke<Map>()
  const latest = useRef<Subscriber<Map>>({ events: () => {} })
  useInsertionEffect(() => {
    latest.current = typeof subscriber === 'function' ? { events: subscriber } : subscriber
  })
  const { cursor, snapshot } = options
  const all = JSON.stringify(filters)
  useEffect(
    () =>
      spoke.subscribe(
        JSON.parse(all) as string | string[],
        {
          events: (events) => latest.current.events(events),
          reset: (reason) => latest.current.reset?.(reason),
          snapshot: (events) => latest.current.snapshot?.(events),
          refused: (error) => latest.current.refused?.(error),
        },
        { ...(cursor !== undefined && { cursor }), ...(snapshot !== undefined && { snapshot }) },
      ),
    [spoke, all, cursor, snapshot],
  )
}
