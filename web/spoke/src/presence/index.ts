/**
 * Who else is there: presence on a topic, followed live.
 *
 * @module
 */
import type { Spoke } from '../spoke.js'
import { type PresenceState, Roster, unknown } from './roster.js'

export type { Member, MemberConnection, PresenceState } from './roster.js'

export interface PresenceOptions {
  /**
   * Whether others see this one there. Defaults to true. Without, it takes a grant for
   * the hub's topic `$presence/…` to hear of changes as they happen; who has none asks
   * for the list every 10 seconds.
   */
  readonly announce?: boolean
}

/** Follows who is there. */
export interface PresenceFollower {
  /** All of it as it is now: another object after a change. */
  readonly state: PresenceState
  /** Calls back after every change, and returns what ends that. */
  watch(listener: (state: PresenceState) => void): () => void
  /** Ends it: if nobody else follows the topic, others see this one leave. */
  close(): void
}

interface Shared {
  readonly roster: {
    readonly state: PresenceState
    watch(listener: (state: PresenceState) => void): () => void
    close(): void
  }
  followers: number
  ending?: ReturnType<typeof setTimeout>
}

/** How long nobody has to follow a topic before one is not seen there: pages that change their parts follow it again. */
const settleMs = 200

/** One roster for all who follow the same topic over the same spoke. */
const rosters = new WeakMap<object, Map<string, Shared>>()

/** Follows who is on a topic, and is seen there. */
export function followPresence<Events extends object>(
  spoke: Spoke<Events>,
  topic: string,
  { announce = true }: PresenceOptions = {},
): PresenceFollower {
  const ofSpoke = rosters.get(spoke) ?? new Map<string, Shared>()
  rosters.set(spoke, ofSpoke)
  const name = nameOf(topic, announce)
  const shared = ofSpoke.get(name) ?? { roster: new Roster(spoke, topic, announce), followers: 0 }
  ofSpoke.set(name, shared)
  shared.followers++
  clearTimeout(shared.ending)
  const { roster } = shared
  const own = new Set<() => void>()
  let open = true
  return {
    get state() {
      return roster.state
    },
    watch(listener) {
      const unwatch = roster.watch(listener)
      own.add(unwatch)
      return () => {
        own.delete(unwatch)
        unwatch()
      }
    },
    close() {
      if (!open) return
      open = false
      for (const unwatch of own) unwatch()
      if (--shared.followers > 0) return
      shared.ending = setTimeout(() => {
        ofSpoke.delete(name)
        roster.close()
      }, settleMs)
    },
  }
}

/** What is known of who is on a topic, if anybody follows it. */
export function presenceOn(spoke: object, topic: string, { announce = true }: PresenceOptions = {}): PresenceState {
  return rosters.get(spoke)?.get(nameOf(topic, announce))?.roster.state ?? unknown
}

function nameOf(topic: string, announce: boolean): string {
  return `${announce ? '+' : '-'}${topic}`
}
