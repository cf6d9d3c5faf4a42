/**
 * One connection for all tabs of a browser.
 *
 * @module
 */
import type { TabsFactory } from '../spoke.js'
import { Tab } from './tab.js'

export interface TabsOptions {
  /** Who is signed in, such as a user's id: only tabs of the same share a connection. */
  readonly identity: string
}

/**
 * Shares the connection among the tabs of one origin: one of them, the one that
 * leads, has it, and another takes over when that is closed, left or frozen. Where
 * a browser cannot (it takes Web Locks, which need a secure origin, and
 * BroadcastChannel) each tab has its own.
 */
export function shareTabs(options: TabsOptions): TabsFactory {
  return (connect, sink, url) => {
    if (typeof document === 'undefined') return connect(sink)
    if (typeof BroadcastChannel !== 'undefined' && navigator.locks !== undefined)
      return new Tab(`nave/1 ${options.identity} ${url}`, connect, sink)
    sink.warn('the tabs do not share a connection: for that the page has to come over HTTPS, or from localhost')
    return connect(sink)
  }
}
