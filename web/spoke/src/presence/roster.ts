import { seenOn } from '../filter.js'
import { Listeners } from '../listeners.js'
import { HubError } from '../problem.js'
import type { Spoke } from '../spoke.js'

/** One connection of a member. */
export interface MemberConnection {
  readonly id: string
  /** RFC 3339. */
  readonly connected: string
  readonly idle: boolean
}

/** Somebody who is there, with all connections: two tabs are one member. */
export interface Member {
  /** Of the token; a name that the hub has made up if it is anonymous. */
  readonly subject: string
  readonly issuer?: string
  /** Nobody has vouched for the subject. */
  readonly anonymous?: boolean
  /** Since when it is there, RFC 3339. */
  readonly since: string
  /** With all its connections. */
  readonly idle: boolean
  /** Some of those that it has; none when it polls, or has just gone. */
  readonly connections: readonly MemberConnection[]
  /** How many others there are. */
  readonly more?: number
}

export interface PresenceState {
  /** By subject. Empty while there are more than 250: then only `total` is known. */
  readonly members: readonly Member[]
  /** How many there are; undefined until the hub has said it. */
  readonly total: number | undefined
  /** The hub does not say who is there, and why. */
  readonly refused?: HubError | undefined
}

export const unknown: PresenceState = { members: [], total: undefined }

type Change = Member & { readonly change: 'join' | 'leave' | 'idle' | 'active' }

/** What the hub tells of a topic. */
interface Told {
  readonly total: number
  readonly members?: readonly Member[]
  readonly changes?: readonly Change[]
}

/** A stream brings the whole list soon after it has begun: so long it is waited for. */
const listMs = 300
/** How soon it is asked again when what is known cannot be right, or was not answered. */
const againMs = 1_000
const againCapMs = 30_000
/** How often it is asked where no changes come. */
const everyMs = 10_000
/** By how much an answer may be older than what was told when it was asked for. */
const lateMs = 1_000
const mostChanges = 1_000

/**
 * Roster joins what the stream tells with the answers to questions. Those have no
 * place in the stream's order, so what was told shortly before a question, and until
 * its answer, is told again to the answer: that bears it. A `total` that is not how
 * many are known shows whatever has been missed all the same.
 */
export class Roster<Events extends object> {
  state: PresenceState = unknown
  readonly #ask: () => Promise<Told | undefined>
  readonly #listeners: Listeners<[state: PresenceState]>
  readonly #end: readonly (() => void)[]
  readonly #spoke: Pick<Spoke<Events>, 'state'>
  #members = new Map<string, Member>()
  #told: { readonly at: number; readonly changes: readonly Change[] }[] = []
  /** Changes come by the stream, unless that is refused. */
  #hears = true
  #connected = ''
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking: object | undefined

  constructor(spoke: Spoke<Events>, topic: string, announce: boolean) {
    this.#spoke = spoke
    this.#listeners = new Listeners(spoke.report)
    this.#ask = async () => {
      const url = spoke.http.url('presence', [['topic', topic]])
      return (await spoke.http.json<{ topics: Told[] }>(url, {})).topics[0]
    }
    const filter = announce ? `${seenOn}${topic}` : `$presence/${topic}`
    this.#end = [
      spoke.subscribe(filter, {
        events: (events) => {
          for (const { data } of events) if (isTold(data)) this.#hear(data)
        },
        reset: () => this.#expect(listMs),
        refused: (error) => this.#refused(error, announce),
      }),
      spoke.watch(() => this.#look()),
    ]
    this.#look()
  }

  watch(listener: (state: PresenceState) => void): () => void {
    return this.#listeners.add(listener)
  }

  close(): void {
    for (const end of this.#end) end()
    this.#listeners.clear()
    this.#calm()
  }

  /** Whenever there is a connection anew the list is: by itself, or else by asking. */
  #look(): void {
    const { name } = this.#spoke.state
    if (!this.#hears || name === this.#connected) return
    this.#connected = name
    if (name === 'live' || name === 'polling') this.#expect(listMs)
    else this.#calm()
  }

  #hear({ total, members, changes }: Told): void {
    if (changes === undefined) {
      this.#calm()
      this.#know(members)
      return this.#show(total)
    }
    this.#told.push({ at: Date.now(), changes })
    if (this.#told.length > mostChanges) this.#told.shift()
    if (this.state.total === undefined) return // of what, only the list says
    this.#apply(changes)
    this.#show(total)
    if (this.#members.size !== total && !this.#asking) this.#expect(againMs)
  }

  #know(members: readonly Member[] = []): void {
    this.#members = new Map(members.map((member) => [nameOf(member), member]))
  }

  #apply(changes: readonly Change[]): void {
    for (const { change, ...member } of changes) {
      if (change === 'leave') this.#members.delete(nameOf(member))
      else this.#members.set(nameOf(member), member)
    }
  }

  #show(total: number): void {
    const members = [...this.#members.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    this.#changed({ members, total })
  }

  #changed(state: PresenceState): void {
    this.state = state
    this.#listeners.tell(state)
  }

  #refused(error: HubError, announce: boolean): void {
    this.#hears = false
    if (announce) this.#changed({ ...this.state, refused: error })
    else this.#expect(0)
  }

  /** What is expected is not any more. */
  #calm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#asking = undefined
    this.#failures = 0
    this.#told = []
  }

  /** Asks after a while: an answer to what was asked before counts for nothing. */
  #expect(ms: number): void {
    this.#asking = undefined
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#question(), ms)
  }

  async #question(): Promise<void> {
    const asking = {}
    this.#asking = asking
    const since = Date.now() - lateMs
    const { name, memory } = this.#spoke.state
    let pause = this.#hears && name === 'live' ? undefined : everyMs * (memory.visible ? 1 : 3)
    try {
      const answer = await this.#ask()
      if (this.#asking !== asking) return // the stream has told all of it meanwhile
      this.#failures = 0
      if (answer) this.#answered(answer, since)
    } catch (error) {
      if (this.#asking !== asking) return
      if (error instanceof HubError && (error.status === 401 || error.status === 403))
        this.#changed({ ...this.state, refused: error })
      pause = Math.min(againMs * 2 ** this.#failures++, againCapMs) * (0.5 + Math.random())
    }
    if (pause === undefined) this.#asking = undefined
    else this.#expect(pause)
  }

  #answered({ total, members = [] }: Told, since: number): void {
    const named = members.length === total
    this.#know(named ? members : [])
    if (named) for (const { at, changes } of this.#told) if (at >= since) this.#apply(changes)
    this.#show(named ? this.#members.size : total)
  }
}

/** With more than one issuer, it is part of the name. */
function nameOf({ subject, issuer = '' }: Member): string {
  return `${subject}\n${issuer}`
}

function isTold(data: unknown): data is Told {
  return typeof data === 'object' && data !== null && 'total' in data && typeof data.total === 'number'
}
