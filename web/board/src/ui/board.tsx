import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { Board, Card } from '../model.js'
import { notify } from '../notices.js'
import { lanes, type Place, placeOf, step } from '../order.js'
import { useBoard, useWorkplace } from '../workplace.js'
import { CardFace, CardTile } from './card.js'
import { useDrag } from './drag.js'
import { EditDialog } from './edit.js'
import { useGlide } from './glide.js'
import { NewCard } from './newcard.js'
import { usePeople } from './person.js'
import { useSeconds } from './seconds.js'

interface Grab {
  readonly card: string
  readonly place: Place
}

const arrows = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' } as const

function isArrow(key: string): key is keyof typeof arrows {
  return key in arrows
}

export function BoardView() {
  const { board, waiting } = useBoard()
  if (board === undefined) return <p className="wait">The cards are on their way …</p>
  return <Columns board={board} waiting={waiting} />
}

function Columns({ board, waiting }: { board: Board; waiting: ReadonlySet<string> }) {
  const { track, write } = useWorkplace()
  const { nameOf } = usePeople()
  const [editing, setEditing] = useState<string>()
  /** A card that the keyboard moves. */
  const [grabbed, setGrabbed] = useState<Grab>()
  const [said, say] = useState('')
  const columns = useRef<HTMLDivElement>(null)
  const focusNext = useRef<string>(undefined)

  const move = (card: string, place: Place) => {
    const now = placeOf(board, card)
    if (place.before === card || (now?.to === place.to && now.before === place.before)) return
    track('move')
    write({ do: 'move', card, ...place })
  }
  const { drag, grab, hasDragged } = useDrag(move)
  const target = drag?.place ?? grabbed?.place
  useGlide(columns, drag !== undefined || grabbed !== undefined)
  useSeconds(20) // for how long ago things were
  const travelling = drag?.card ?? grabbed?.card
  const cardOf = (id: string | undefined) => board.cards.find((card) => card.id === id)
  const flying = cardOf(drag?.card)

  // A card that is moved by keyboard keeps the focus in its new column.
  useEffect(() => {
    const id = focusNext.current
    if (id === undefined) return
    focusNext.current = undefined
    columns.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`)?.focus()
  })

  const where = ({ to, before }: Place) => {
    const column = board.columns.find(({ id }) => id === to)?.title ?? to
    return before === null ? `${column}, at the end` : `${column}, before ${cardOf(before)?.title ?? 'another card'}`
  }
  const letGo = (words: string) => {
    setGrabbed(undefined)
    say(words)
  }

  const onKeyDown = (event: KeyboardEvent, card: Card) => {
    const { key } = event
    const take = () => event.preventDefault()
    if (grabbed === undefined) {
      const place = placeOf(board, card.id)
      if (key === ' ' && place) {
        take()
        setGrabbed({ card: card.id, place })
        say(`${card.title} is picked up, in ${where(place)}. Arrows move it, space drops it, Escape lets go.`)
      } else if (isArrow(key)) {
        take()
        focusBeside(columns.current, card.id, key)
      } else if (key === 'Delete') {
        take()
        remove(card)
      }
      return
    }
    if (isArrow(key)) {
      take()
      const place = step(board, grabbed.card, grabbed.place, arrows[key])
      if (place) setGrabbed({ card: grabbed.card, place })
      say(place ? where(place) : 'There is no more room on that side')
    } else if (key === ' ' || key === 'Enter') {
      take()
      focusNext.current = grabbed.card
      move(grabbed.card, grabbed.place)
      letGo(`${card.title} is in ${where(grabbed.place)}`)
    } else if (key === 'Escape') {
      take()
      letGo(`${card.title} stays where it was`)
    }
  }
  const remove = useRemove()

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
                  waits={waiting.has(card.id)}
                  nameOf={nameOf}
                  dropBefore={target?.to === column.id && target.before === card.id}
                  travels={travelling === card.id}
                  grabbed={grabbed?.card === card.id}
                  onPointerDown={(event) => grab(event, card.id)}
                  onKeyDown={(event) => onKeyDown(event, card)}
                  onBlur={() => grabbed && letGo('')}
                  onOpen={() => {
                    if (hasDragged()) return
                    track('open card')
                    setEditing(card.id)
                  }}
                />
              ))}
              {target?.to === column.id && target.before === null && <li className="drop" aria-hidden="true" />}
            </ol>
            <NewCard column={column} />
          </section>
        ))}
      </div>
      {drag && flying && (
        <div className="flying" style={{ transform: `translate(${drag.x}px, ${drag.y}px)`, width: drag.width }}>
          <CardFace card={flying} waits={false} nameOf={nameOf} />
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
          onDelete={remove}
          onMove={(place) => move(editing, place)}
          onClose={() => {
            focusNext.current = editing
            setEditing(undefined)
          }}
        />
      )}
    </>
  )
}

/** How long a card that was deleted can be had back. */
const undoMs = 6_000

function useRemove(): (card: Card) => void {
  const { outbox, track, write } = useWorkplace()
  return (card) => {
    track('delete')
    const key = write({ do: 'delete', card: card.id, rev: card.rev, title: card.title }, undoMs)
    if (key === undefined) return
    notify(`“${card.title}” is deleted`, { label: 'Undo', run: () => outbox.remove(key) }, undoMs - 200)
  }
}

function focusBeside(columns: HTMLElement | null, id: string, key: keyof typeof arrows): void {
  const all = [...(columns?.querySelectorAll<HTMLElement>('[data-column]') ?? [])].map((column) => [
    ...column.querySelectorAll<HTMLElement>('[data-card]'),
  ])
  const column = all.findIndex((tiles) => tiles.some((tile) => tile.dataset['card'] === id))
  const at = all[column]?.findIndex((tile) => tile.dataset['card'] === id) ?? -1
  if (key === 'ArrowUp') all[column]?.[at - 1]?.focus()
  else if (key === 'ArrowDown') all[column]?.[at + 1]?.focus()
  else {
    const beside = all[column + (key === 'ArrowLeft' ? -1 : 1)]
    beside?.[Math.min(at, beside.length - 1)]?.focus()
  }
}
