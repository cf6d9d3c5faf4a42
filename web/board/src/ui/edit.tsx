import { useEffect, useRef, useState } from 'react'
import { difference, type FieldName, fieldNames, fieldsOf } from '../merge.js'
import type { Board, Card, Fields } from '../model.js'
import { type Place, placeOf } from '../order.js'
import { useWorkplace } from '../workplace.js'
import { Dialog } from './dialog.js'
import { FieldInput, fieldLabels, fieldText } from './fields.js'
import { usePeople } from './person.js'

interface Properties {
  readonly id: string
  readonly board: Board
  /** Deletes the card, and closes. */
  readonly onDelete: (card: Card) => void
  readonly onMove: (place: Place) => void
  readonly onClose: () => void
}

/** A card, open to be changed. What others change meanwhile is shown at once. */
export function EditDialog({ id, board, ...on }: Properties) {
  const found = board.cards.find((card) => card.id === id)
  const latest = useRef(found)
  if (found) latest.current = found
  return latest.current && <Open card={latest.current} isGone={found === undefined} board={board} {...on} />
}

function Open({
  card,
  isGone,
  board,
  onDelete,
  onMove,
  onClose,
}: Omit<Properties, 'id'> & { card: Card; isGone: boolean }) {
  const { track, write } = useWorkplace()
  const { nameOf } = usePeople()
  const [opened] = useState({ rev: card.rev })
  const { draft, setDraft, base, theirs, settle, followed } = useDraft(card)
  const changes = difference(base, draft)
  const isChanged = Object.keys(changes).length > 0
  const place = placeOf(board, card.id)

  const save = () => {
    if (isChanged) {
      track('save card')
      write({ do: 'edit', card: card.id, base, rev: opened.rev, changes })
    }
    onClose()
  }

  return (
    <Dialog label={`Card: ${card.title}`} onClose={onClose}>
      <form
        className="edit"
        onSubmit={(event) => {
          event.preventDefault()
          if (draft.title.trim() !== '') save()
        }}
      >
        {fieldNames.map((name) => (
          <div key={name} className="field">
            <FieldInput name={name} value={draft[name]} onChange={(value) => setDraft({ ...draft, ...value })} />
            {theirs.includes(name) && <Theirs card={card} name={name} onSettle={(whose) => settle(name, whose)} />}
          </div>
        ))}
        <label className="field">
          <span>Column</span>
          <select
            value={place?.to}
            disabled={isGone}
            onChange={(event) => onMove({ to: event.target.value, before: null })}
          >
            {board.columns.map((column) => (
              <option key={column.id} value={column.id}>
                {column.title}
              </option>
            ))}
          </select>
        </label>
        <p className="fine" role="status">
          {isGone && 'This card was deleted by somebody meanwhile. What you save can be made a new card.'}
          {!isGone && followed.length > 0 && `${nameOf(card.updatedBy)} has just changed ${listOf(followed)}.`}
        </p>
        <div className="buttons">
          <button type="button" className="danger" disabled={isGone} onClick={() => onDelete(card)}>
            Delete
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={draft.title.trim() === ''}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** What somebody else has made of a field that is being edited. */
function Theirs({
  card,
  name,
  onSettle,
}: {
  card: Card
  name: FieldName
  onSettle: (whose: 'mine' | 'theirs') => void
}) {
  const { nameOf } = usePeople()
  return (
    <div className="theirs" role="status">
      <p>
        {nameOf(card.updatedBy)} has changed it to <q>{fieldText(name, card[name], nameOf)}</q>
      </p>
      <button type="button" onClick={() => onSettle('theirs')}>
        Take theirs
      </button>
      <button type="button" onClick={() => onSettle('mine')}>
        Keep mine
      </button>
    </div>
  )
}

function listOf(names: readonly FieldName[]): string {
  return names.map((name) => `the ${fieldLabels[name].toLowerCase()}`).join(' and ')
}

/**
 * What is being edited, over what it was. What others change is followed in the fields
 * that were not touched; in those that were, it is shown beside until it is settled.
 */
function useDraft(card: Card) {
  const [draft, setDraft] = useState<Fields>(() => fieldsOf(card))
  const [base, setBase] = useState<Fields>(() => fieldsOf(card))
  const [followed, setFollowed] = useState<readonly FieldName[]>([])
  const theirs = fieldNames.filter((name) => card[name] !== base[name] && card[name] !== draft[name])

  useEffect(() => {
    const follow = fieldNames.filter((name) => card[name] !== base[name] && draft[name] === base[name])
    const agreed = fieldNames.filter((name) => card[name] !== base[name] && draft[name] === card[name])
    if (follow.length === 0 && agreed.length === 0) return
    setDraft((before) => withFields(before, card, follow))
    setBase((before) => withFields(before, card, [...follow, ...agreed]))
    if (follow.length > 0) setFollowed(follow)
  }, [card, draft, base])

  const settle = (name: FieldName, whose: 'mine' | 'theirs') => {
    setBase({ ...base, [name]: card[name] })
    if (whose === 'theirs') setDraft({ ...draft, [name]: card[name] })
  }
  return { draft, setDraft, base, theirs, settle, followed }
}

/** The fields, some of them as the card has them. */
function withFields(fields: Fields, card: Card, names: readonly FieldName[]): Fields {
  return { ...fields, ...Object.fromEntries(names.map((name) => [name, card[name]])) }
}
