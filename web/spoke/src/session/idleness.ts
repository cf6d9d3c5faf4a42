import { failureOf, isPassing } from '../problem.js'
import type { EventMap } from '../schema.js'
import type { Spoke } from '../spoke.js'

/**
 * Tells the hub's presence whether somebody is there: returns what is to be called with
 * it, and what ends that. Of tabs that share a connection the one that has it tells: the
 * others would say the same.
 */
export function tellIdleness(
  spoke: Pick<Spoke<EventMap>, 'http' | 'state' | 'listen'>,
): [say: (idle: boolean) => void, end: () => void] {
  let now = false
  /** The connection of this tab. */
  let own: string | undefined
  /** What the hub knows of it: of a new connection that somebody is there. */
  let told = false
  let telling = false

  const tell = async (): Promise<void> => {
    const { http, state } = spoke
    if (telling || told === now || state.name !== 'live' || state.connection !== own) return
    telling = true
    const idle = now
    const connection = own
    const ask = { method: 'POST', body: JSON.stringify({ connection, idle }) } as const
    const done = await http
      .send(http.url('presence'), ask)
      .then(async (response) => response.ok || !isPassing(await failureOf(response)))
      .catch(() => false) // the next heartbeat is the time to try again
    telling = false
    if (done && connection === own) told = idle
    if (done) void tell()
  }
  const end = spoke.listen((said) => {
    if (said.kind === 'batch') return
    const connection = said.kind === 'verdict' ? said.sync.connection : undefined
    if (connection && connection !== own) told = false
    own = connection ?? own ?? (spoke.state.name === 'live' ? spoke.state.connection : undefined)
    queueMicrotask(tell) // once it is live
  })
  return [
    (idle) => {
      now = idle
      void tell()
    },
    end,
  ]
}
