import type { Frame } from '../frames.js'
import type { State } from '../machine/state.js'
import type { Problem } from '../problem.js'

/** What a tab tells the one that leads. */
export type Request =
  | {
      readonly kind: 'want'
      readonly tab: string
      /** Rises with each. */
      readonly serial: number
      readonly filters: readonly string[]
      /** From where on, if it takes no frames until this is in force. */
      readonly cursor: string | undefined
    }
  | { readonly kind: 'gone'; readonly tab: string }
  /** Somebody looks at this page: are you there? */
  | { readonly kind: 'ping' }
  | { readonly kind: 'retry' | 'disable' | 'enable' }

/** What the leading tab tells all others. */
export type Order =
  /** I lead: say what you want. */
  | { readonly kind: 'lead' }
  | { readonly kind: 'frame'; readonly frame: Frame /** One tab, or all. */; readonly to?: string }
  /** The wants up to these serials are in force. */
  | { readonly kind: 'covers'; readonly filters: readonly string[]; readonly serials: ReadonlyMap<string, number> }
  | { readonly kind: 'state'; readonly state: State }
  | { readonly kind: 'refused'; readonly filters: readonly string[]; readonly problem: Problem }
  | { readonly kind: 'pong' }
  /** Nobody looks at me: whoever is looked at may lead. */
  | { readonly kind: 'yield' }

/** Orders carry the term of who gives them: those of an older term do not count. */
export type Letter = Request | { readonly term: number; readonly order: Order }
