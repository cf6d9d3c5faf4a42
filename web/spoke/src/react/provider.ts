import { type Context, createContext, createElement, type ReactNode, useContext } from 'react'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'

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
