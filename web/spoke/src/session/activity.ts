/** How closely activity is looked at. */
const closelyMs = 1_000

const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'scroll', 'touchstart']

/**
 * Says when somebody was last at any of a browser's tabs, in milliseconds of
 * performance.now, each time that it changes. Tabs tell each other now and then, not of
 * every move: a tab that is not looked at would wake up for it. `shareMs` is how often,
 * and so by how much too late others may take one for idle.
 */
export function watchActivity(name: string, shareMs: number, was: (at: number) => void, signal: AbortSignal): void {
  let channel: BroadcastChannel | undefined
  let hereAt = Number.NEGATIVE_INFINITY
  let sharedAt = hereAt
  const here = () => {
    const now = performance.now()
    if (now - hereAt < closelyMs) return
    hereAt = now
    was(now)
    if (now - sharedAt < shareMs) return
    sharedAt = now
    channel?.postMessage(Date.now()) // it may come late: after a sleep, when nobody is here any more
  }
  const open = () => {
    if (typeof BroadcastChannel === 'undefined') return
    channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }: MessageEvent<number>) =>
      was(performance.now() - Math.max(Date.now() - data, 0) + shareMs)
    here()
  }
  // A browser gives up a page that it keeps when it is sent something.
  const shut = () => channel?.close()

  for (const sign of signs) addEventListener(sign, here, { capture: true, passive: true, signal })
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && here(), { signal })
  addEventListener('pagehide', shut, { signal })
  addEventListener('pageshow', (event) => event.persisted && open(), { signal })
  signal.addEventListener('abort', shut)
  open()
}
