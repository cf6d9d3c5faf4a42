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
    const able =
      typeof BroadcastChannel !== 'undefined' &&
      globalThis.navigator?.locks !== undefined &&
      typeof document !== 'undefined'
    return able ? new Tab(`nave/1 ${options.identity} ${url}`, connect, sink) : connect(sink)
  }
}
