import type { Happening } from './machine/state.js'

/**
 * Tells what happens to the page and its network, and returns what ends that.
 * Where there is no page, nothing happens.
 */
export function watchSurroundings(tell: (what: Happening) => void): () => void {
  const stop = new AbortController()
  const on = (target: EventTarget, name: string, f: (event: Event) => void) =>
    target.addEventListener(name, f, { signal: stop.signal })
  if (typeof window !== 'undefined') {
    on(window, 'online', () => tell({ type: 'online' }))
    on(window, 'offline', () => tell({ type: 'offline' }))
    on(window, 'pagehide', () => tell({ type: 'suspend' }))
    on(window, 'pageshow', (event) => {
      if ((event as PageTransitionEvent).persisted) tell({ type: 'resume' })
    })
    if (navigator.onLine === false) tell({ type: 'offline' })
  }
  if (typeof document !== 'undefined') {
    const seen = () => tell({ type: document.visibilityState === 'hidden' ? 'hidden' : 'visible' })
    on(document, 'visibilitychange', seen)
    on(document, 'freeze', () => tell({ type: 'suspend' }))
    on(document, 'resume', () => tell({ type: 'resume' }))
    seen()
  }
  return () => stop.abort()
}
