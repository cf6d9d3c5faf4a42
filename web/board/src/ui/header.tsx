import type { State } from '@nave/spoke'
import { notifyManager, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { api } from '../api.js'
import type { Mode } from '../model.js'
import { online } from '../network.js'
import { notify } from '../notices.js'
import { useHere } from '../presence.js'
import { isAnswered } from '../queries.js'
import { useStore } from '../store.js'
import { setWho } from '../who.js'
import { type Words, wordsFor } from '../words.js'
import { useWorkplace } from '../workplace.js'
import { putOff } from './conflict.js'
import { Costs } from './costs.js'
import { Dialog } from './dialog.js'
import { Avatar, usePeople } from './person.js'
import { useTrouble } from './trouble.js'

/** What is to be said of the connection now. */
export function useWords(): Words {
  const { mode, spoke } = useWorkplace()
  const isOnline = useStore(online)
  const state = useSyncExternalStore<State | undefined>(
    (changed) => spoke?.watch(changed) ?? (() => {}),
    () => spoke?.state,
  )
  const client = useQueryClient()
  const answers = useSyncExternalStore(
    (changed) => client.getQueryCache().subscribe(notifyManager.batchCalls(changed)),
    () => isAnswered(client),
  )
  return wordsFor(mode, state, isOnline, answers)
}

export function Header() {
  const words = useWords()
  return (
    <header className="header">
      <h1>Board</h1>
      <p className={`chip ${words.tone}`} role="status">
        {words.title}
        <span className="sr"> {words.detail}</span>
      </p>
      <Slow />
      <Costs />
      <Waiting />
      <Here />
      <Modes />
      <Me />
      {words.tone === 'poor' && (
        <p className="banner">
          {words.title}. {words.detail}
        </p>
      )}
    </header>
  )
}

function Slow() {
  const { data } = useTrouble()
  return (data?.slow ?? 0) > 0 && <p className="slow">Slow network</p>
}

function Waiting() {
  const { outbox } = useWorkplace()
  const entries = useStore(outbox.entries)
  const open = entries.filter(({ conflict }) => conflict !== undefined).length
  const count = entries.length - open
  const later = useStore(putOff)
  const stuck = useStore(outbox.stuck)
  const [late, setLate] = useState(false)
  // What goes through at once needs no word.
  useEffect(() => {
    setLate(false)
    if (count === 0) return
    const timer = setTimeout(() => setLate(true), 700)
    return () => clearTimeout(timer)
  }, [count])
  if (entries.some(({ conflict, key }) => conflict !== undefined && later.has(key))) {
    return (
      <button type="button" className="decide" onClick={() => putOff.set(new Set())}>
        {open === 1 ? '1 change' : `${open} changes`} to decide on
      </button>
    )
  }
  const what = count === 1 ? '1 change' : `${count} changes`
  if (entries.some(({ unkept }) => unkept)) {
    return (
      <p className="waiting" role="status">
        {what} kept only while this page is open
      </p>
    )
  }
  if (count === 0 || !late) return null
  return (
    <p className="waiting" role="status">
      {stuck ? `${what} kept until the server answers` : `${what} on the way`}
    </p>
  )
}

function Here() {
  const here = useHere()
  const { nameOf } = usePeople()
  if (here === undefined || here.length === 0) return null
  return (
    <ul className="here" aria-label="Who is here">
      {here.map(({ user, idle }) => (
        <li key={user}>
          <Avatar id={user} name={nameOf(user)} dim={idle} />
          <span className="sr">{idle ? `${nameOf(user)}, idle` : nameOf(user)}</span>
        </li>
      ))}
    </ul>
  )
}

const modes: readonly { id: Mode; label: string }[] = [
  { id: 'polling', label: 'Polling' },
  { id: 'live', label: 'Live' },
]

function Modes() {
  const { mode, setMode, track } = useWorkplace()
  return (
    <fieldset className="modes">
      <legend className="sr">How the page hears of changes</legend>
      {modes.map(({ id, label }) => (
        <label key={id} className="mode">
          <input
            type="radio"
            name="mode"
            checked={mode === id}
            onChange={() => {
              track(`mode ${id}`)
              setMode(id)
            }}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}

function Me() {
  const { endSession, me, outbox } = useWorkplace()
  const client = useQueryClient()
  const [asks, setAsks] = useState(false)
  const signOut = async () => {
    try {
      await api('POST', 'sign-out')
      endSession()
      setWho(client, null)
      return true
    } catch {
      notify('The server does not answer, so you are still signed in')
      return false
    }
  }
  return (
    <div className="me">
      <Avatar id={me.id} name={me.name} />
      <button
        type="button"
        className="quiet"
        onClick={() => (outbox.entries.value.length > 0 ? setAsks(true) : void signOut())}
      >
        <span className="sr">{me.name}: </span>Sign out
      </button>
      {asks && <Unsent onSignOut={signOut} onClose={() => setAsks(false)} />}
    </div>
  )
}

/** Asks what is to become of what has not been sent. */
function Unsent({ onSignOut, onClose }: { onSignOut: () => Promise<boolean>; onClose: () => void }) {
  const { outbox } = useWorkplace()
  const entries = useStore(outbox.entries)
  const discard = async () => {
    if (await onSignOut()) for (const { key } of outbox.entries.value) outbox.remove(key)
  }
  return (
    <Dialog label="Not everything is sent" onClose={onClose}>
      <div className="conflict">
        <h2>{entries.length === 0 ? 'All is sent now' : 'Not everything is sent'}</h2>
        {entries.length > 0 && (
          <p>
            {entries.length === 1 ? '1 change' : `${entries.length} changes`} of yours the server does not have yet.
            What you keep stays in this browser, and is sent when you sign in here again.
          </p>
        )}
        {entries.some(({ unkept }) => unkept) && <p>There is no room to keep all of it: stay until it is sent.</p>}
        <div className="buttons">
          {entries.length > 0 && (
            <button type="button" className="danger" onClick={() => void discard()}>
              Discard and sign out
            </button>
          )}
          <button type="button" onClick={() => void onSignOut()}>
            {entries.length > 0 ? 'Keep and sign out' : 'Sign out'}
          </button>
          <button type="button" className="primary" onClick={onClose}>
            Stay
          </button>
        </div>
      </div>
    </Dialog>
  )
}
