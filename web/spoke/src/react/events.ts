import { useEffect, useInsertionEffect, useRef } from 'react'
import type { EventMap } from '../schema.js'
import type { SubscribeOptions, Subscriber } from '../subscription.js'
import { useSpoke } from './provider.js'

/**
 * Follows filters for as long as the component is there. Callbacks may change with
 * every render; filters and options begin a new subscription when they do.
 */
export function useEvents<Events extends object = EventMap>(
  filters: string | readonly string[],
  subscriber: Subscriber<Events> | Subscriber<Events>['events'],
  options: SubscribeOptions = {},
): void {
  const spoke = useSpoke<Events>()
  const latest = useRef<Subscriber<Events>>({ events: () => {} })
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
          begun: () => latest.current.begun?.(),
          reset: (reason) => latest.current.reset?.(reason),
          snapshot: (events) => latest.current.snapshot?.(events),
          refused: (error) => {
            if (latest.current.refused) return latest.current.refused(error)
            throw error // to be told as what goes wrong
          },
        },
        { ...(cursor !== undefined && { cursor }), ...(snapshot !== undefined && { snapshot }) },
      ),
    [spoke, all, cursor, snapshot],
  )
}
