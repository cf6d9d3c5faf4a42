import { useRef, useState } from 'react'
import { cardDraft, type Edit, useDraft } from '../drafts.js'
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
  const { edit, fields, setFields, forget, theirs, settle, followed } = useEdit(card)
  const [wasKept] = useState(edit !== undefined)
  const place = placeOf(board, card.id)

  const discard = () => {
    forget()
    onClose()
  }
  const save = () => {
    if (edit) {
      track('save card')
      if (write(edit) === undefined) return // there is no room, and it stays a draft
      forget()
    }
    onClose()
  }

  return (
    <Dialog label={`Card: ${card.title}`} onClose={onClose}>
      <form
        className="edit"
        onSubmit={(event) => {
          event.preventDefault()
          if (fields.title.trim() !== '') save()
        }}
      >
        {fieldNames.map((name) => (
          <div key={name} className="field">
            <FieldInput name={name} value={fields[name]} onChange={(value) => setFields({ ...fields, ...value })} />
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
          {!isGone && wasKept && edit && 'This is how you left it: it is not saved yet. '}
          {!isGone && followed.length > 0 && `${nameOf(card.updatedBy)} has just changed ${listOf(followed)}.`}
        </p>
        <div className="buttons">
          <button
            type="button"
            className="danger"
            disabled={isGone}
            onClick={() => {
              forget()
              onDelete(card)
            }}
          >
            Delete
          </button>
          <button type="button" onClick={discard}>
            {edit ? 'Discard' : 'Cancel'}
          </button>
          <button type="submit" className="primary" disabled={fields.title.trim() === ''}>
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
        <bdi>{nameOf(card.updatedBy)}</bdi> has changed it to <q>{fieldText(name, card[name], nameOf)}</q>
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
 * What is being edited, a draft until it is saved. What others change is followed in the
 * fields that were not touched; in those that were, it is shown beside until it is settled.
 */
function useEdit(card: Card) {
  const [kept, keep] = useDraft<Edit | undefined>(cardDraft(card.id), undefined)
  const [opened] = useState(() => fieldsOf(card))
  const now = fieldsOf(card)
  const fields: Fields = { ...now, ...kept?.changes }
  const touched = fieldNames.filter((name) => kept?.changes[name] !== undefined)
  const base = withFields(now, kept?.base ?? now, touched)
  const theirs = touched.filter((name) => now[name] !== base[name] && now[name] !== fields[name])
  const followed = fieldNames.filter((name) => now[name] !== opened[name] && !touched.includes(name))

  const set = (from: Fields, to: Fields) => {
    const changes = difference(from, to)
    const isChanged = Object.keys(changes).length > 0
    const rev = kept?.rev ?? card.rev
    keep(isChanged ? { do: 'edit', card: card.id, base: from, rev, changes, column: card.column } : undefined)
  }
  const settle = (name: FieldName, whose: 'mine' | 'theirs') => {
    const settled = withFields(base, now, [name])
    set(settled, whose === 'mine' ? fields : withFields(fields, now, [name]))
  }
  const edit = kept && { ...kept, base }
  return {
    edit,
    fields,
    setFields: (to: Fields) => set(base, to),
    forget: () => keep(undefined),
    theirs,
    settle,
    followed,
  }
}

/** The fields, some of them as others have them. */
function withFields(fields: Fields, others: Fields, names: readonly FieldName[]): Fields {
  return { ...fields, ...Object.fromEntries(names.map((name) => [name, others[name]])) }
}
