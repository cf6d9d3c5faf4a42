import { useCallback, useEffect, useInsertionEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { Outbox } from '../outbox/index.js'
import type { LiveItem, LiveState } from '../state/index.js'

/** A live state as it is rendered. */
export type LiveView<Entity> = Pick<LiveState<Entity>, 'items' | 'ready' | 'error' | 'update'>

const nothing: ReadonlyMap<string, never> = new Map<string, never>()
const unwatched = () => {}

/**
 * Follows a live state for as long as the component is there. `open` makes it, as
 * `() => liveState(spoke, { topic, type })`; it is made anew when `name` changes, which
 * says what it is of, such as the topic, and over which spoke or outbox if there are
 * several. Until then nothing is in it.
 */
export function useLiveState<Entity>(open: () => LiveState<Entity>, name: string): LiveView<Entity> {
  const latest = useRef(open)
  useInsertionEffect(() => {
    latest.current = open
  })
  const [opened, setOpened] = useState<{ name: string; live: LiveState<Entity> }>()
  useEffect(() => {
    const live = latest.current()
    setOpened({ name, live })
    return () => live.close()
  }, [name])
  const live = opened?.name === name ? opened.live : undefined
  const watch = useCallback((changed: () => void) => live?.watch(changed) ?? unwatched, [live])
  const items = useSyncExternalStore<ReadonlyMap<string, LiveItem<Entity>>>(
    watch,
    () => live?.items ?? nothing,
    () => nothing,
  )
  const ready = useSyncExternalStore(
    watch,
    () => live?.ready ?? false,
    () => false,
  )
  const error = useSyncExternalStore(
    watch,
    () => live?.error,
    () => undefined,
  )
  const update = useCallback<LiveState<Entity>['update']>(
    (...change) =>
      live ? live.update(...change) : Promise.reject(new Error(`useLiveState: ${name} is not open yet, or any more`)),
    [live, name],
  )
  return { items, ready, error, update }
}

/** An outbox as it is rendered. */
export type OutboxView<Events extends object> = Pick<Outbox<Events>, 'items' | 'givenUp' | 'durability' | 'paused'>

/** What waits in an outbox, which the application makes, outside of components. */
export function useOutbox<Events extends object>(outbox: Outbox<Events>): OutboxView<Events> {
  const watch = useCallback((changed: () => void) => outbox.watch(() => changed()), [outbox])
  const see = <Seen>(look: () => Seen) => [watch, look, look] as const
  return {
    items: useSyncExternalStore(...see(() => outbox.items)),
    givenUp: useSyncExternalStore(...see(() => outbox.givenUp)),
    durability: useSyncExternalStore(...see(() => outbox.durability)),
    paused: useSyncExternalStore(...see(() => outbox.paused)),
  }
}
