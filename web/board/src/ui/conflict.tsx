import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type Changes, difference, type FieldName, fieldsOf, merge } from '../merge.js'
import type { Card } from '../model.js'
import type { Entry } from '../outbox.js'
import type { Write } from '../overlay.js'
import * as queries from '../queries.js'
import { Store, useStore } from '../store.js'
import { useWorkplace } from '../workplace.js'
import { Dialog } from './dialog.js'
import { FieldInput, fieldLabels, fieldText } from './fields.js'
import { usePeople } from './person.js'

/** Whether decisions are put off: nothing is sent until they are made. */
export const putOff: Store<boolean> = new Store(false)

/** What two people have done to the same thing, for one of them to decide: one at a time. */
export function Conflicts() {
  const { outbox, spoke } = useWorkplace()
  const { data } = useQuery(queries.board(spoke))
  const isPutOff = useStore(putOff)
  const entry = useStore(outbox.entries).find(({ conflict }) => conflict !== undefined)
  if (isPutOff || entry?.conflict === undefined) return null
  const cached = data?.cards.find(({ id }) => id === entry.conflict?.id)
  // It may have changed again since.
  const current = cached !== undefined && cached.rev > entry.conflict.rev ? cached : entry.conflict
  const { write } = entry
  if (write.do === 'edit')
    return <EditConflict key={`${entry.key} ${current.rev}`} entry={entry} write={write} current={current} />
  if (write.do === 'delete') return <DeleteConflict key={entry.key} entry={entry} write={write} current={current} />
  return null
}

function EditConflict({
  entry,
  write,
  current,
}: {
  entry: Entry
  write: Extract<Write, { do: 'edit' }>
  current: Card
}) {
  const { outbox, track } = useWorkplace()
  const { nameOf } = usePeople()
  const { changes, conflicts } = merge(write.base, write.changes, current)
  const [chosen, setChosen] = useState<Changes>({})
  const isOpen = conflicts.some((name) => chosen[name] === undefined) || chosen.title?.trim() === ''

  const decide = (fields: Changes) => {
    const now = fieldsOf(current)
    const wanted = difference(now, { ...now, ...changes, ...fields })
    const isSomething = Object.keys(wanted).length > 0
    track('decide')
    outbox.decide(entry.key, isSomething ? { ...write, base: now, rev: current.rev, changes: wanted } : undefined)
  }
  const giveUp = () => decide(Object.fromEntries(conflicts.map((name) => [name, current[name]])))

  return (
    <Dialog label="Two changes to the same card" onClose={() => putOff.set(true)}>
      <div className="conflict">
        <h2>You and {nameOf(current.updatedBy)} both changed this card</h2>
        <p className="fine">“{current.title}”: nothing is overwritten before you have decided.</p>
        {conflicts.map((name) => (
          <Choice
            key={name}
            name={name}
            mine={write.changes[name] ?? null}
            current={current}
            chosen={chosen[name]}
            onChoose={(change) => setChosen({ ...chosen, ...change })}
          />
        ))}
        <div className="buttons">
          <button type="button" onClick={giveUp}>
            Give mine up
          </button>
          <button type="button" className="primary" disabled={isOpen} onClick={() => decide(chosen)}>
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
  readonly chosen: string | null | undefined
  readonly onChoose: (change: Changes) => void
}

/** Both values of one field side by side: mine, theirs, or neither. */
function Choice({ name, mine, current, chosen, onChoose }: ChoiceProperties) {
  const { nameOf } = usePeople()
  const [isAnew, setAnew] = useState(false)
  const theirs = current[name]
  const choose = (value: string | null, anew: boolean) => {
    setAnew(anew)
    onChoose({ [name]: value })
  }
  const side = (label: string, value: string | null) => (
    <label className="side">
      <input type="radio" name={name} checked={!isAnew && chosen === value} onChange={() => choose(value, false)} />
      <b>{label}</b>
      <span>{fieldText(name, value, nameOf)}</span>
    </label>
  )
  return (
    <fieldset>
      <legend>{fieldLabels[name]}</legend>
      <div className="sides">
        {side('Mine', mine)}
        {side(`${nameOf(current.updatedBy)}’s`, theirs)}
      </div>
      {isAnew && <FieldInput name={name} label="Anew" value={chosen ?? ''} onChange={onChoose} />}
      {name !== 'assignee' && !isAnew && (
        <button type="button" className="quiet" onClick={() => choose(both(name, mine, theirs), true)}>
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
    <Dialog label="A deleted card has changed" onClose={() => putOff.set(true)}>
      <div className="conflict">
        <h2>Delete it all the same?</h2>
        <p>
          {nameOf(current.updatedBy)} changed “{current.title}” before you deleted it.
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
