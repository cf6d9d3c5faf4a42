import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import type { Card } from '../model.js'
import { clock } from '../network.js'
import { ago } from '../words.js'
import { useWorkplace } from '../workplace.js'
import { Avatar } from './person.js'

interface TileProperties {
  readonly card: Card
  /** What a change of ours to it waits for. */
  readonly waits: string | undefined
  readonly nameOf: (id: string) => string
  /** What travels would be dropped before it. */
  readonly dropBefore: boolean
  readonly travels: boolean
  readonly grabbed: boolean
  readonly onPointerDown: (event: PointerEvent<HTMLElement>) => void
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly onBlur: () => void
  readonly onOpen: () => void
}

export function CardTile({ card, waits, nameOf, dropBefore, travels, grabbed, ...on }: TileProperties) {
  const { me } = useWorkplace()
  const first = useRef(card.rev)
  const news = card.rev !== first.current && card.updatedBy !== me.id
  return (
    <>
      {dropBefore && <li className="drop" aria-hidden="true" />}
      <li className="slot" data-slot={card.id}>
        <div className="tile">
          <button
            type="button"
            className="card"
            data-card={card.id}
            data-travels={travels || undefined}
            data-grabbed={grabbed || undefined}
            aria-describedby="card-keys"
            onPointerDown={on.onPointerDown}
            onKeyDown={on.onKeyDown}
            onBlur={on.onBlur}
            onClick={on.onOpen}
          >
            <CardFace card={card} waits={waits} nameOf={nameOf} />
          </button>
          {news && <span key={card.rev} className="glow" aria-hidden="true" />}
        </div>
      </li>
    </>
  )
}

export function CardFace({
  card,
  waits,
  nameOf,
}: {
  card: Card
  waits: string | undefined
  nameOf: (id: string) => string
}) {
  return (
    <>
      <span className="title">{card.title}</span>
      {card.text !== '' && <span className="excerpt">{card.text}</span>}
      <span className="foot">
        <span>
          {waits ?? (
            <>
              <bdi>{nameOf(card.updatedBy)}</bdi>, {ago(clock.now() - Date.parse(card.updatedAt))}
            </>
          )}
        </span>
        {card.assignee !== null && (
          <>
            <span className="sr">, for {nameOf(card.assignee)}</span>
            <Avatar id={card.assignee} name={nameOf(card.assignee)} />
          </>
        )}
      </span>
    </>
  )
}
