import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'

/** Whether the hub has given up what is least important: transient events, and whatever else one can do without. */
export function isShedding({ state }: Pick<Spoke<EventMap>, 'state'>): boolean {
  return state.memory.level !== 'normal'
}
