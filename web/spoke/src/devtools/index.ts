/**
 * A panel that shows how a spoke is connected, and what comes. It is for those who
 * build and run the page; loaded when it is asked for, it costs others nothing.
 *
 * @module
 */
import type { Spoke } from '../spoke.js'
import { Ledger } from './ledger.js'
import { Panel } from './panel.js'
import { style } from './style.js'

export interface DevtoolsOptions {
  /** Where the panel is put. Defaults to the body. */
  readonly parent?: Element
  /** Whether it is open at first. */
  readonly open?: boolean
}

const tag = 'nave-devtools'

/** Shows the panel, and returns what takes it away. Without a page it does nothing. */
export function mountDevtools<Events extends object>(spoke: Spoke<Events>, options: DevtoolsOptions = {}): () => void {
  if (typeof document === 'undefined') return () => {}
  if (customElements.get(tag) === undefined) customElements.define(tag, class extends HTMLElement {})
  const host = document.createElement(tag)
  const root = host.attachShadow({ mode: 'open' })
  // A sheet that is made here needs no leave of the page's policy for styles.
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(style)
  root.adoptedStyleSheets = [sheet]
  const ledger = new Ledger(spoke)
  const panel = new Panel(root, spoke, ledger, options.open === true)
  const parent = options.parent ?? document.body
  parent.append(host)
  return () => {
    panel.close()
    ledger.close()
    host.remove()
  }
}
