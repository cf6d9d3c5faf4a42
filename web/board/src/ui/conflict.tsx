import { useQuery } from '@tanstack/react-query'
import { useDraft } from '../drafts.js'
import { type Changes, difference, type FieldName, fieldsOf, merge } from '../merge.js'
import type { Card } from '../model.js'
import type { Entry } from '../outbox.js'
import type { Write } from '../overlay.js'
import * as queries from '../queries.js'
import { Store, useStore } from '../store.js'
import { useWorkplace } from '../workplace.js'
import { Dialog } from './dialog.js'
import { FieldInput, fieldLabels, fieldText, tooLong } from './fields.js'
import { usePeople } from './person.js'

/** The entries on which decisions are put off: they are not sent until those are made. */
export const putOff: Store<ReadonlySet<string>> = new Store<ReadonlySet<string>>(new Set())

const putOffEntry = ({ key }: Entry) => putOff.set(new Set([...putOff.value, key]))

/** What two people have done to the same thing, for one of them to decide: one at a time. */
export function Conflicts() {
  const { outbox, spoke } = useWorkplace()
  const { data } = useQuery(queries.board(spoke))
  const later = useStore(putOff)
  const entry = useStore(outbox.entries).find(({ conflict, key }) => conflict !== undefined && !later.has(key))
  if (entry?.conflict === undefined) return null
  const cached = data?.cards.find(({ id }) => id === entry.conflict?.id)
  // It may have changed again since.
  const current = cached !== undefined && cached.rev > entry.conflict.rev ? cached : entry.conflict
  const { write } = entry
  const isGone = data !== undefined && cached === undefined
  if (write.do === 'edit')
    return <EditConflict key={entry.key} entry={entry} write={write} current={current} isGone={isGone} />
  if (write.do === 'delete') return <DeleteConflict key={entry.key} entry={entry} write={write} current={current} />
  return null
}

/** What somebody wants of a field, over what others had made of it. */
interface Decision {
  readonly which: 'mine' | 'theirs' | 'anew'
  readonly value: string | null
  readonly over: string | null
  /** What was written anew, whichever is wanted now. */
  readonly anew: string | undefined
}

const undecided: Partial<Record<FieldName, Decision>> = {}

function EditConflict({
  entry,
  write,
  current,
  isGone,
}: {
  entry: Entry
  write: Extract<Write, { do: 'edit' }>
  current: Card
  isGone: boolean
}) {
  const { outbox, track } = useWorkplace()
  const { nameOf } = usePeople()
  const { changes, conflicts } = merge(write.base, write.changes, current)
  const [decisions, setDecisions] = useDraft(`decision ${entry.key}`, undecided)
  // What others have changed since has to be looked at again.
  const decided = (name: FieldName) => (decisions[name]?.over === current[name] ? decisions[name] : undefined)
  const isOpen =
    conflicts.some((name) => decided(name) === undefined || tooLong(name, decided(name)?.value) > 0) ||
    decided('title')?.value?.trim() === ''

  const decide = (valueFor: (name: FieldName) => string | null | undefined) => {
    const now = fieldsOf(current)
    const fields: Changes = Object.fromEntries(conflicts.map((name) => [name, valueFor(name)]))
    const wanted = difference(now, { ...now, ...changes, ...fields })
    const isSomething = Object.keys(wanted).length > 0
    track('decide')
    setDecisions(undecided)
    outbox.decide(entry.key, isSomething ? { ...write, base: now, rev: current.rev, changes: wanted } : undefined)
  }

  return (
    <Dialog label="Two changes to the same card" onClose={() => putOffEntry(entry)}>
      <div className="conflict">
        <h2>
          You and <bdi>{nameOf(current.updatedBy)}</bdi> both changed this card
        </h2>
        <p className="fine" role="status">
          {isGone ? (
            'This card was deleted by somebody meanwhile. What you save can be made a new card.'
          ) : (
            <>
              <bdi>“{current.title}”</bdi>: nothing is overwritten before you have decided.
            </>
          )}
        </p>
        {conflicts.map((name) => (
          <Choice
            key={name}
            name={name}
            mine={write.changes[name] ?? null}
            current={current}
            chosen={decided(name)?.which}
            anew={decisions[name]?.anew}
            onChoose={(which, value) => {
              const anew = which === 'anew' ? (value ?? '') : decisions[name]?.anew
              setDecisions({ ...decisions, [name]: { which, value, over: current[name], anew } })
            }}
          />
        ))}
        <div className="buttons">
          <button type="button" onClick={() => decide((name) => current[name])}>
            Give mine up
          </button>
          <button
            type="button"
            className="primary"
            disabled={isOpen}
            onClick={() => decide((name) => decided(name)?.value)}
          >
            Save
          </button>
        </div>
      </div>
    </Dialog>
  )
}

interface ChoiceProperties {
  readonly name: FieldName
  readonly mine: string | null
  readonly current: Card
  readonly chosen: Decision['which'] | undefined
  readonly anew: string | undefined
  readonly onChoose: (which: Decision['which'], value: string | null) => void
}

/** Both values of one field side by side: mine, theirs, or what is written anew. */
function Choice({ name, mine, current, chosen, anew, onChoose }: ChoiceProperties) {
  const { nameOf } = usePeople()
  const theirs = current[name]
  const over = tooLong(name, anew)
  const write = (text: string) => onChoose('anew', text)
  const side = (which: Decision['which'], label: string, value: string | null, className = 'side') => (
    <label className={className}>
      <input type="radio" name={name} checked={chosen === which} onChange={() => onChoose(which, value)} />
      <b>{label}</b>
      {which !== 'anew' && <span>{fieldText(name, value, nameOf)}</span>}
    </label>
  )
  return (
    <fieldset>
      <legend>{fieldLabels[name]}</legend>
      <div className="sides">
        {side('mine', 'Mine', mine)}
        {side('theirs', `${nameOf(current.updatedBy)}’s`, theirs)}
      </div>
      {anew !== undefined && (
        <>
          {side('anew', 'Written anew', anew, 'anew')}
          <FieldInput name={name} label="Anew" value={anew} onChange={(change) => write(change[name] ?? '')} />
          {over > 0 && (
            <p className="fine" role="status">
              It is too long by {over === 1 ? 'one character' : `${over} characters`}: shorten it to save.
            </p>
          )}
        </>
      )}
      {name !== 'assignee' && anew === undefined && (
        <button type="button" className="quiet" onClick={() => write(both(name, mine, theirs))}>
          Write it anew
        </button>
      )}
    </fieldset>
  )
}

/** What to begin with who writes it anew: mine, and for a text both. */
function both(name: FieldName, mine: string | null, theirs: string | null): string {
  return name === 'text' ? [mine, theirs].filter(Boolean).join('\n\n') : (mine ?? '')
}

function DeleteConflict({
  entry,
  write,
  current,
}: {
  entry: Entry
  write: Extract<Write, { do: 'delete' }>
  current: Card
}) {
  const { outbox } = useWorkplace()
  const { nameOf } = usePeople()
  return (
    <Dialog label="A deleted card has changed" onClose={() => putOffEntry(entry)}>
      <div className="conflict">
        <h2>Delete it all the same?</h2>
        <p>
          <bdi>{nameOf(current.updatedBy)}</bdi> changed <bdi>“{current.title}”</bdi> before you deleted it.
        </p>
        {current.text !== '' && <blockquote>{current.text}</blockquote>}
        <div className="buttons">
          <button
            type="button"
            className="danger"
            onClick={() => outbox.decide(entry.key, { ...write, rev: current.rev })}
          >
            Delete it
          </button>
          <button type="button" className="primary" onClick={() => outbox.decide(entry.key, undefined)}>
            Keep it
          </button>
        </div>
      </div>
    </Dialog>
  )
}
