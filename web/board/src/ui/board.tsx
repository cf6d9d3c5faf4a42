import { useEffect, useRef } from 'react'
import { type Edit, useEdits } from '../drafts.js'
import type { Board, Card } from '../model.js'
import { notify } from '../notices.js'
import { lanes, type Place, placeOf } from '../order.js'
import { useStore } from '../store.js'
import { told } from '../told.js'
import { useBoard, useWorkplace } from '../workplace.js'
import { CardFace, CardTile } from './card.js'
import { useDrag } from './drag.js'
import { EditDialog } from './edit.js'
import { useGlide } from './glide.js'
import { useGrab } from './grab.js'
import { NewCard } from './newcard.js'
import { usePeople } from './person.js'
import { useSeconds } from './seconds.js'

interface Properties {
  /** The card that is open. */
  readonly editing: string | undefined
  readonly setEditing: (card: string | undefined) => void
}

export function BoardView(properties: Properties) {
  const { board, waiting } = useBoard()
  if (board === undefined) return <p className="wait">The cards are on their way …</p>
  return <Columns board={board} waiting={waiting} {...properties} />
}

function Columns({
  board,
  waiting,
  editing,
  setEditing,
}: Properties & { board: Board; waiting: ReadonlyMap<string, string> }) {
  const { track } = useWorkplace()
  const { nameOf } = usePeople()
  const columns = useRef<HTMLDivElement>(null)
  const move = useMove(board)
  const { drag, grab, hasDragged } = useDrag(move)
  const { grabbed, said, onKeyDown, onBlur, focus, remove } = useGrab({
    board,
    columns,
    drop: move,
    remove: useRemove(),
  })
  const travelling = drag ?? grabbed
  const flying = board.cards.find(({ id }) => id === drag?.card)
  useGlide(columns, travelling !== undefined, drag?.card)
  const edits = useUnsaved(board, editing)
  useEffect(() => () => setEditing(undefined), [setEditing]) // or what fails in it fails again
  useSeconds(20) // for how long ago things were

  const isTarget = (to: string, before: string | null) =>
    travelling?.place?.to === to && travelling.place.before === before
  const open = (card: string) => {
    if (hasDragged()) return
    track('open card')
    setEditing(card)
  }

  return (
    <>
      <div className="columns" ref={columns} data-travelling={travelling !== undefined || undefined}>
        {lanes(board).map(({ column, cards }) => (
          <section key={column.id} className="column" data-column={column.id} aria-labelledby={`column-${column.id}`}>
            <h2 id={`column-${column.id}`}>
              {column.title} <span className="count">{cards.length}</span>
            </h2>
            <ol>
              {cards.map((card) => (
                <CardTile
                  key={card.id}
                  card={card}
                  waits={
                    waiting.get(card.id) ?? (edits.some((edit) => edit.card === card.id) ? 'your draft' : undefined)
                  }
                  nameOf={nameOf}
                  dropBefore={isTarget(column.id, card.id)}
                  travels={travelling?.card === card.id}
                  grabbed={grabbed?.card === card.id}
                  onPointerDown={(event) => grab(event, card.id)}
                  onKeyDown={(event) => onKeyDown(event, card)}
                  onBlur={onBlur}
                  onOpen={() => open(card.id)}
                />
              ))}
              {isTarget(column.id, null) && <li className="drop" aria-hidden="true" />}
            </ol>
            <NewCard column={column} />
          </section>
        ))}
      </div>
      {drag && flying && (
        <div className="flying" style={{ transform: `translate(${drag.x}px, ${drag.y}px)`, width: drag.width }}>
          <CardFace card={flying} waits={undefined} nameOf={nameOf} />
        </div>
      )}
      <p className="sr" role="status" aria-live="assertive">
        {said}
      </p>
      <p id="card-keys" hidden>
        Enter opens it, space picks it up to move it, Delete deletes it.
      </p>
      {editing !== undefined && (
        <EditDialog
          id={editing}
          board={board}
          onDelete={(card) => {
            remove(card)
            setEditing(undefined)
          }}
          onMove={(place) => move(editing, place)}
          onClose={() => {
            focus(editing)
            setEditing(undefined)
          }}
        />
      )}
    </>
  )
}

function useMove(board: Board): (card: string, place: Place) => void {
  const { track, write } = useWorkplace()
  return (card, place) => {
    const now = placeOf(board, card)
    if (place.before === card || (now?.to === place.to && now.before === place.before)) return
    track('move')
    write({ do: 'move', card, ...place })
  }
}

/**
 * The edits that somebody has left unsaved. One whose card somebody else has deleted is
 * sent, to be told in the outbox's words that it cannot be saved, and what to do with it.
 */
function useUnsaved(board: Board, editing: string | undefined): readonly Edit[] {
  const { outbox, write } = useWorkplace()
  const { edits, forget } = useEdits()
  const entries = useStore(outbox.entries)
  useEffect(() => {
    const isThere = (id: string) =>
      board.cards.some((card) => card.id === id) || entries.some(({ write }) => 'card' in write && write.card === id)
    for (const edit of edits) {
      if (edit.card !== editing && !isThere(edit.card) && write(edit) !== undefined) forget(edit.card)
    }
  })
  return edits
}

/** How long a card that was deleted can be had back. */
const undoMs = 6_000

function useRemove(): (card: Card, undone: () => void) => void {
  const { outbox, track, write } = useWorkplace()
  return (card, undone) => {
    track('delete')
    const key = write({ do: 'delete', card: card.id, rev: card.rev, title: card.title }, undoMs)
    if (key === undefined) return
    const undo = () => {
      undone()
      outbox.remove(key)
    }
    notify(told`“${card.title}” is deleted`, { label: 'Undo', run: undo }, undoMs - 200)
  }
}
