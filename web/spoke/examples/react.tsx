// What docs/spoke.md shows of React.
import { createSpoke } from '@nave/spoke'
import { SpokeProvider, useEvents, useHubStatus, useLiveState, usePresence, usePublish } from '@nave/spoke/react'
import { liveState } from '@nave/spoke/state'
import { useState } from 'react'

const spoke = createSpoke({ url: 'https://hub.example.com' })

export function Page() {
  return (
    <SpokeProvider spoke={spoke}>
      <Board />
    </SpokeProvider>
  )
}

function Board() {
  const [moves, setMoves] = useState(0)
  useEvents('cards/board-1', (events) => setMoves((n) => n + events.length))
  const status = useHubStatus()
  const { members } = usePresence('boards/1')
  const { publish, pending, error } = usePublish()
  return (
    <p>
      {moves} moves, {status}, with {members.map(({ subject }) => subject).join(', ')}
      <button
        type="button"
        disabled={pending}
        onClick={() =>
          publish({ topic: 'cards/board-1', type: 'card.moved', key: 'card-42', data: { column: 'done' } })
        }
      >
        Done
      </button>
      {error !== undefined && <em>not moved: {String(error)}</em>}
    </p>
  )
}

type Card = { title: string }

export function Cards() {
  const { items, update } = useLiveState(
    () => liveState<Card>(spoke, { topic: 'cards/board-2', type: 'card' }),
    'cards/board-2',
  )
  return [...items].map(([key, { data }]) => (
    <button type="button" key={key} onClick={() => void update(key, (card) => card && { title: `${card.title}!` })}>
      {data.title}
    </button>
  ))
}
