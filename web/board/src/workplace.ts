// What a signed-in person works with, and how long each of it lives.
import type { Spoke } from '@nave/spoke'
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useState } from 'react'
import { followActivity } from './activity.js'
import { Answers } from './answers.js'
import { type Ask, askAs } from './api.js'
import { behind } from './behind.js'
import { goLive } from './live.js'
import { meter } from './meter.js'
import type { Board, Events, Mode, User } from './model.js'
import { clock } from './network.js'
import { notify } from './notices.js'
import { type Failure, Outbox } from './outbox.js'
import { boardWith, type Write } from './overlay.js'
import * as queries from './queries.js'
import { sender } from './send.js'
import { liveSession, pollSession, type Session } from './session.js'
import { useStore } from './store.js'
import { told } from './told.js'
import { watchAges } from './watchages.js'
import { askWho } from './who.js'

export interface Workplace {
  readonly me: User
  readonly mode: Mode
  readonly setMode: (mode: Mode) => void
  readonly outbox: Outbox
  /** In live mode. */
  readonly spoke: Spoke<Events> | undefined
  /** Writes, and tells if that cannot be. Returns the key to take it back by. */
  readonly write: (write: Write, afterMs?: number) => string | undefined
  /** Counts that a button was pressed. */
  readonly track: (button: string) => void
  /** Ends the session: the person signs out. */
  readonly endSession: () => void
}

export const WorkplaceContext = createContext<Workplace | undefined>(undefined)

export function useWorkplace(): Workplace {
  const workplace = useContext(WorkplaceContext)
  if (workplace === undefined) throw new Error('useWorkplace: nobody is signed in here')
  return workplace
}

/** Sets the workplace up; undefined until it is. */
export function useNewWorkplace(me: User): Workplace | undefined {
  const client = useQueryClient()
  const [mode, setMode] = useState<Mode>(modeOfUrl)
  const ask = useMemo(() => askAs(me.id, () => void askWho(client)), [client, me.id])
  const outbox = useOutbox(client, ask, me)
  const [connected, setConnected] = useState<{ mode: Mode; spoke?: Spoke<Events>; session: Session }>()

  useEffect(() => {
    rememberMode(mode)
    meter.charge(mode)
    if (mode === 'polling') {
      const session = pollSession(ask)
      setConnected({ mode, session })
      return () => session.close()
    }
    const { spoke, close } = goLive(client, ask, me.id)
    const session = liveSession(spoke, me.id)
    const unfollow = followActivity(spoke)
    setConnected({ mode, spoke, session })
    return () => {
      unfollow()
      session.close()
      close()
    }
  }, [client, ask, me.id, mode])

  useEffect(
    () =>
      watchAges(
        client,
        me.id,
        () => clock.now(),
        () => meter.tally?.ages,
      ),
    [client, me.id],
  )

  useEffect(() => {
    const look = setInterval(() => {
      const ms = document.hidden ? undefined : behind(client, connected?.spoke)
      if (ms !== undefined) meter.tally?.behind.add(ms)
    }, 1_000)
    return () => clearInterval(look)
  }, [client, connected])

  return useMemo(() => {
    if (outbox === undefined || connected === undefined) return undefined
    const write = (what: Write, afterMs = 0) => {
      try {
        return outbox.add(what, afterMs)
      } catch (error) {
        notify(error instanceof Error ? error.message : String(error))
        return undefined
      }
    }
    const track = (button: string) => connected.session.track(button)
    const endSession = () => connected.session.end()
    const spoke = connected.mode === mode ? connected.spoke : undefined
    return { me, mode, setMode, outbox, spoke, write, track, endSession }
  }, [me, mode, outbox, connected])
}

function useOutbox(client: QueryClient, ask: Ask, me: User): Outbox | undefined {
  const [outbox, setOutbox] = useState<Outbox>()
  useEffect(() => {
    const answers = new Answers(client, me.id)
    const made = new Outbox({
      user: me.id,
      send: sender({
        answers,
        ask,
        user: me.id,
        merged: (by, card) => notify(told`“${card.title}”: merged with ${nameOf(client, by)}’s change`),
      }),
      undone: (failure) => notify(told`That was not possible and is undone: ${whyOf(failure)}`),
    })
    setOutbox(made)
    return () => {
      made.close()
      answers.close()
    }
  }, [client, ask, me.id])
  return outbox
}

/** Why something cannot be done, in words. */
export function whyOf(failure: Failure): string {
  return failure.kind === 'refused' ? failure.why : 'it is not there any more'
}

function nameOf(client: QueryClient, id: string): string {
  const users = client.getQueryData<readonly User[]>(queries.keys.users)
  return users?.find((user) => user.id === id)?.name ?? id
}

const undecided = 'to be decided'

/** The board as it will be when all that waits has got through, and which cards wait, and what for. */
export function useBoard(): { board: Board | undefined; waiting: ReadonlyMap<string, string> } {
  const { me, outbox, spoke } = useWorkplace()
  const { data } = useQuery(queries.board(spoke))
  const entries = useStore(outbox.entries)
  return useMemo(() => {
    const writes = entries.map((entry) => entry.write)
    const waiting = new Map<string, string>()
    for (const { write, conflict } of entries) {
      if (!('card' in write) || waiting.get(write.card) === undecided) continue
      waiting.set(write.card, conflict ? undecided : 'on its way')
    }
    return { board: data && boardWith(data, writes, me.id), waiting }
  }, [data, entries, me.id])
}

function modeOfUrl(): Mode {
  return new URLSearchParams(location.search).get('mode') === 'polling' ? 'polling' : 'live'
}

function rememberMode(mode: Mode): void {
  const url = new URL(location.href)
  url.searchParams.set('mode', mode)
  history.replaceState(null, '', url)
}
