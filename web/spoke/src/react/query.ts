/**
 * The spoke for TanStack Query, in components.
 *
 * @module
 */
import type { QueryClient } from '@tanstack/query-core'
import { useEffect, useInsertionEffect, useRef } from 'react'
import { type Binding, bindQueries } from '../query/index.js'
import type { EventMap } from '../schema.js'
import { useSpoke } from './provider.js'

/**
 * Keeps queries up to date for as long as the component is there; see `bindQueries`.
 * The functions of the binding may change with every render; its filters and its key
 * begin a new one when they do. Call it before the hooks of the queries: what they have
 * fetched already is fetched again, since nobody knows what has been missed.
 */
export function useBindQueries<Events extends object = EventMap, Data = unknown>(
  client: QueryClient,
  binding: Binding<Events, Data>,
): void {
  const spoke = useSpoke<Events>()
  const latest = useRef(binding)
  useInsertionEffect(() => {
    latest.current = binding
  })
  const { filters, queryKey, keyOf, cursorOf } = binding
  const what = JSON.stringify([filters, queryKey])
  const [some, dated] = [keyOf !== undefined, cursorOf !== undefined]
  useEffect(() => {
    const { filters, queryKey } = latest.current
    return bindQueries<Events, Data>(client, spoke, {
      filters,
      queryKey,
      keyOf: some ? (event) => latest.current.keyOf?.(event) ?? queryKey : undefined,
      cursorOf: dated ? (data) => latest.current.cursorOf?.(data) : undefined,
      apply: (data, event) => latest.current.apply?.(data, event),
    })
  }, [client, spoke, what, some, dated])
}
