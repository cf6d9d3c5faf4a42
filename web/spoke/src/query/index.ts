/**
 * The spoke for TanStack Query: events go into the cache, and queries poll only
 * while none can come.
 *
 * @module
 */
export { type Binding, bindQueries } from './bind.js'
export type { Effects } from './keeper.js'
export { type DataOf, liveQueries, liveQuery } from './live.js'
export { whileSilent } from './silence.js'
