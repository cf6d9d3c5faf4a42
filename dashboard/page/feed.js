// How the hub fares, as it comes: by its own stream; by polling, where there are no
// streams; and after a while again, when it is away.
//
//	           ┌──────────── again, later ─────────────┐
//	look ──▶ listen ──▶ away ──────────────────────────┤
//	  │        │  ▲                                     │
//	  │        ▼  └── the level has streams again       │
//	  │      poll ─────────────────────────────────────┘
//	  └─ 401 ─▶ signed out   └─ 403 ─▶ forbidden

import { get, Refused, Silent, stream } from './api.js'

const topic = '$hub/health'
const patience = 5_000 // for news that come every second
const pollEvery = 2_000
const hiddenFor = 15_000 // after which a page in the background lets go
const longestPause = 30_000

export const hasStreams = level => level !== 'polling' && level !== 'off'

// follow tells of what comes: tell.now(vitals), tell.past(points), tell.state(state).
// A state has a name (connecting, live, polling, away, paused, signed-out, forbidden)
// and why; away has at, when it is tried again.
export function follow(tell) {
  let failures = 0
  let ended = false
  let attempt = new AbortController()
  let wake = () => {}

  const pause = ms => new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    wake = () => { clearTimeout(timer); resolve() }
  })

  async function look() {
    const { now, past } = await get('v1/admin/health', AbortSignal.any([attempt.signal, AbortSignal.timeout(10_000)]))
    failures = 0
    tell.past(past)
    if (now) tell.now(now)
    return now?.service.level ?? 'normal'
  }

  // listen returns when to come back, and whether by polling.
  async function listen() {
    let then = { poll: false, ms: 0 }
    let heard = 0
    try {
      await stream([topic], event => {
        heard++
        switch (event.type) {
          case 'hub.sync': return tell.connection(event.data.connection)
          case 'hub.health': tell.state({ name: 'live' }); return tell.now(event.data)
          case 'hub.level': if (event.data.poll) then = { poll: true, ms: 0 }; return
          case 'hub.bye': then.ms = event.data.retryMs; return
        }
      }, { signal: attempt.signal, patience })
    } catch (error) {
      if (error instanceof Silent && heard < 2) return { poll: true, why: 'the stream stays silent: a proxy may hold it back', ms: longestPause }
      if (error instanceof Silent) return { poll: false, ms: 0 } // look whether the hub is there
      if (error instanceof Refused && error.status >= 429) return { poll: true, why: error.message, ms: error.retryAfter }
      throw error
    } finally {
      tell.connection(null)
    }
    return then
  }

  // poll goes on until the level has streams again, and a stream may be tried.
  async function poll({ why, ms = 0 }) {
    const until = Date.now() + ms
    for (;;) {
      const level = await look()
      if (hasStreams(level) && Date.now() >= until) return
      tell.state({ name: 'polling', why: hasStreams(level) ? why : `there are no streams at level ${level}` })
      await pause(pollEvery)
      attempt.signal.throwIfAborted()
    }
  }

  async function once() {
    if (!hasStreams(await look())) return poll({})
    const then = await listen()
    if (then.poll) return poll(then)
    await pause(Math.min(then.ms, 1_000)) // this page is not among those that have to spread
  }

  // failed says for how long to wait.
  function failed(error) {
    if (error instanceof Refused && error.status === 401) return end({ name: 'signed-out', why: error.message })
    if (error instanceof Refused && error.status === 403) return end({ name: 'forbidden', why: error.message })
    const ms = Math.min(longestPause, 1_000 * 2 ** failures++) * (0.75 + Math.random() / 2)
    const why = error instanceof Refused ? error.message : 'it cannot be reached'
    tell.state({ name: 'away', why, at: Date.now() + ms })
    return ms
  }

  function end(state) {
    ended = true
    tell.state(state)
    return 0
  }

  async function run() {
    tell.state({ name: 'connecting' })
    while (!ended) {
      try {
        await once()
      } catch (error) {
        if (ended) return
        if (document.hidden && attempt.signal.aborted) await shown()
        else await pause(failed(error))
      }
      attempt = new AbortController()
    }
  }

  function shown() {
    tell.state({ name: 'paused' })
    return new Promise(resolve => {
      document.addEventListener('visibilitychange', () => resolve(), { once: true })
    })
  }

  // A page that nobody sees holds no connection: a browser has six for a host.
  let hiding = 0
  function visibility() {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(() => { attempt.abort(); wake() }, hiddenFor)
  }
  document.addEventListener('visibilitychange', visibility)

  run()
  return {
    again: () => wake(),
    stop() {
      ended = true
      document.removeEventListener('visibilitychange', visibility)
      attempt.abort()
      wake()
    },
  }
}
