// What the page says of its connection, in words.
import type { State } from '@nave/spoke'
import type { Mode } from './model.js'

export interface Words {
  readonly tone: 'good' | 'fair' | 'poor'
  readonly title: string
  readonly detail: string
}

const pollsOn = 'The board asks the server every 30 s, and loses nothing.'

const offline: Words = {
  tone: 'poor',
  title: 'Offline',
  detail: 'What you change is kept here, and sent when the network is back.',
}

const unanswered: Words = {
  tone: 'poor',
  title: 'The server does not answer',
  detail: 'It is asked again and again. What you change is kept here, and sent when it does.',
}

/** `answers` is whether the server does, as far as fetches tell. */
export function wordsFor(mode: Mode, state: State | undefined, online: boolean, answers: boolean): Words {
  if (!online) return offline
  if (mode === 'polling' || state === undefined) {
    if (!answers) return unanswered
    const detail = 'Asks for cards every 30 s, conversations every 10 s, people every 5 min.'
    return { tone: 'fair', title: 'Polling', detail }
  }
  switch (state.name) {
    case 'live':
      return { tone: 'good', title: 'Live', detail: 'Changes come as they happen.' }
    case 'polling':
      return {
        tone: 'fair',
        title: 'Live by asking',
        detail: `${whyPages(state)}, and answers when something has changed.`,
      }
    case 'connecting':
      if (state.memory.level === 'polling')
        return { tone: 'fair', title: 'Changing over', detail: 'The hub keeps no streams open now.' }
      if (state.cause === undefined) return { tone: 'fair', title: 'Connecting', detail: 'On the way to the hub.' }
      return answers ? { tone: 'poor', title: 'The hub is away', detail: pollsOn } : unanswered
    case 'offline':
      return offline
    case 'disabled':
      return { tone: 'fair', title: 'Live delivery is switched off', detail: pollsOn }
    case 'unauthorised':
      return { tone: 'poor', title: 'The hub refuses the token', detail: pollsOn }
    case 'closed':
      return { tone: 'poor', title: 'The hub refuses', detail: `${state.problem?.detail ?? ''} ${pollsOn}`.trim() }
    case 'idle':
      return { tone: 'fair', title: 'Idle', detail: 'Nothing is followed.' }
  }
}

function whyPages({ memory, cause }: Extract<State, { name: 'polling' }>): string {
  if (memory.level === 'polling') return 'The hub keeps no streams open now: it is asked'
  if (cause?.kind === 'mute') return 'Streams do not get through: the hub is asked'
  return 'The hub is asked until a stream is open again'
}

/** A time span, as short as it may be. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** How long ago something was, for people. */
export function ago(ms: number): string {
  return ms < 60_000 ? 'just now' : `${span(ms)} ago`
}
