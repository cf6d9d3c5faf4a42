import { deeds } from '../activity.js'
import { useDraft } from '../drafts.js'
import { clock } from '../network.js'
import { useHere } from '../presence.js'
import { useStore } from '../store.js'
import { ago } from '../words.js'
import { useWorkplace } from '../workplace.js'
import { Avatar, usePeople } from './person.js'
import { useSeconds } from './seconds.js'
import { Words } from './sentence.js'

export function People() {
  const { me, mode } = useWorkplace()
  const { people, nameOf } = usePeople()
  const here = useHere()
  const all = useStore(deeds)
  useSeconds(10)
  const whereabouts = (id: string) => {
    const found = here?.find(({ user }) => user === id)
    if (here === undefined) return undefined
    return found === undefined ? 'away' : found.idle ? 'idle' : 'here'
  }
  return (
    <section className="people" aria-label="People">
      <h2>People</h2>
      <ul>
        {people.map(({ id, name, status }) => (
          <li key={id} className="person">
            <Avatar id={id} name={name} dim={whereabouts(id) === 'idle' || whereabouts(id) === 'away'} />
            <p>
              <b>{name}</b>
              {whereabouts(id) && <span className={`where ${whereabouts(id)}`}>{whereabouts(id)}</span>}
            </p>
            {id === me.id ? <Status status={status} /> : <p className="status">{status || 'no status'}</p>}
          </li>
        ))}
      </ul>
      <h2>Activity</h2>
      {mode === 'polling' ? (
        <p className="fine">Who is here and what they do is known in live mode only.</p>
      ) : (
        <ol className="deeds">
          {all.map(({ user, what, at }) => (
            <li key={`${user} ${at} ${what}`}>
              <b>{nameOf(user)}</b> <Words>{what}</Words> <time>{ago(clock.now() - at)}</time>
            </li>
          ))}
          {all.length === 0 && <li className="fine">Nothing since you came.</li>}
        </ol>
      )}
    </section>
  )
}

function Status({ status }: { status: string }) {
  const { outbox, track, write } = useWorkplace()
  const waiting = useStore(outbox.entries).flatMap((entry) => (entry.write.do === 'status' ? entry.write.status : []))
  const shown = waiting.at(-1) ?? status
  const [draft, setDraft] = useDraft<string | undefined>('status', undefined)
  const save = () => {
    if (draft !== undefined && draft !== shown) {
      track('status')
      if (write({ do: 'status', status: draft }) === undefined) return // there is no room, and it stays a draft
    }
    setDraft(undefined)
  }
  return (
    <form
      className="status"
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <input
        aria-label="Your status"
        placeholder="What are you up to?"
        value={draft ?? shown}
        maxLength={100}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => event.key === 'Escape' && setDraft(undefined)}
      />
    </form>
  )
}
