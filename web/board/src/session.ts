// What a session says of itself, and which buttons are pressed.
import type { Spoke } from '@nave/spoke'
import { createTracker, trackSession } from '@nave/spoke/session'
import type { Ask } from './api.js'
import { newId } from './id.js'
import type { Events } from './model.js'
import { online } from './network.js'

export interface Session {
  /** Counts that a button was pressed. */
  track(button: string): void
  /** The person signs out. */
  end(): void
  /** Stops saying anything. */
  close(): void
}

const heartbeatMs = 30_000
/** Seldom: everybody hears each one, and the hub knows by itself who is connected. */
const liveHeartbeatMs = 300_000
const idleAfterMs = 60_000
const flushMs = 5_000
const most = 50

/** As it is without a hub: a request every 30 s, and one for what was pressed. */
export function pollSession(ask: Ask): Session {
  const session = newId()
  let pressed: { name: string; data: { button: string } }[] = []
  const say = (state: string) => void ask('POST', 'sessions/heartbeat', { session, state }).catch(() => {})
  const flush = () => {
    if (pressed.length === 0) return
    const sent = pressed
    pressed = []
    // They are counts, not bills: what does not get through is lost.
    ask('POST', 'analytics', sent).catch(() => {})
  }
  let activeAt = Date.now()
  const stop = new AbortController()
  const { signal } = stop
  for (const kind of ['pointerdown', 'keydown', 'visibilitychange'])
    document.addEventListener(kind, () => (activeAt = document.hidden ? activeAt : Date.now()), { signal })
  addEventListener('pagehide', () => sayLast(session), { signal })
  addEventListener('pageshow', ({ persisted }) => persisted && say('started'), { signal })
  say('started')
  const timers = [
    setInterval(() => say(Date.now() - activeAt < idleAfterMs ? 'active' : 'idle'), heartbeatMs),
    setInterval(flush, flushMs),
  ]
  return {
    track(button) {
      if (pressed.length < most) pressed.push({ name: 'button.clicked', data: { button } })
    },
    end() {
      say('ended')
      stop.abort()
    },
    close() {
      for (const timer of timers) clearInterval(timer)
      if (!signal.aborted) say('ended')
      stop.abort()
      flush()
    },
  }
}

/** Says that a session ends with its page, which waits for no answer. */
function sayLast(session: string): void {
  const body = JSON.stringify({ session, state: 'ended' })
  if (online.value) navigator.sendBeacon('/api/sessions/heartbeat', new Blob([body], { type: 'application/json' }))
}

/** As it is with one. */
export function liveSession(spoke: Spoke<Events>, user: string): Session {
  const session = trackSession(spoke, { topic: `sessions/${user}`, identity: user, heartbeatMs: liveHeartbeatMs })
  const tracker = createTracker(spoke, { topic: `analytics/${user}` })
  return {
    track: (button) => tracker.track('button.clicked', { button }),
    end: () => session.end(),
    close() {
      session.close()
      tracker.close()
    },
  }
}
