import { useCallback, useState } from 'react'
import type { Draft, Published, PublishOptions } from '../publisher.js'
import type { EventMap } from '../schema.js'
import { useSpoke } from './provider.js'

export interface Publishing<Events extends object> {
  /**
   * Publishes one event, or several together: all are stored, or none. It is the same
   * function in every render. Who does not look at its promise finds what went wrong
   * in `error`.
   */
  readonly publish: (drafts: Draft<Events> | readonly Draft<Events>[], options?: PublishOptions) => Promise<Published>
  /** Something is on its way. */
  readonly pending: boolean
  /** Why the last that failed has failed, such as a ConflictError, until something else is published. */
  readonly error: unknown
}

/** Publishes, and knows how that goes. */
export function usePublish<Events extends object = EventMap>(): Publishing<Events> {
  const spoke = useSpoke<Events>()
  const [{ underWay, error }, change] = useState<{ underWay: number; error: unknown }>({
    underWay: 0,
    error: undefined,
  })
  const publish = useCallback<Publishing<Events>['publish']>(
    (drafts, options) => {
      change((now) => ({ underWay: now.underWay + 1, error: undefined }))
      const published = isList(drafts) ? spoke.batch(drafts, options) : spoke.publish(drafts, options)
      published.then(
        () => change((now) => ({ ...now, underWay: now.underWay - 1 })),
        (thrown: unknown) => change((now) => ({ underWay: now.underWay - 1, error: thrown })),
      )
      return published
    },
    [spoke],
  )
  return { publish, pending: underWay > 0, error }
}

function isList<T>(one: T | readonly T[]): one is readonly T[] {
  return Array.isArray(one)
}
