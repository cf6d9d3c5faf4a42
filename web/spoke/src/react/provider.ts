import { type Context, createContext, createElement, type ReactNode, useContext } from 'react'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'

const Provided: Context<unknown> = createContext<unknown>(undefined)

/** Gives a spoke to all below. It neither opens nor closes it. */
export function SpokeProvider<Events extends object>(properties: {
  readonly spoke: Spoke<Events>
  readonly children?: ReactNode
}): ReactNode {
  return createElement(Provided.Provider, { value: properties.spoke }, properties.children)
}

/** The spoke. */
export function useSpoke<Events extends object = EventMap>(): Spoke<Events> {
  const spoke = useContext(Provided)
  if (spoke === undefined) throw new Error('useSpoke: there is no SpokeProvider around this component')
  return spoke as Spoke<Events>
}
