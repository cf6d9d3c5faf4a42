// What docs/spoke.md shows of React.
import { createSpoke } from '@nave/spoke'
import { SpokeProvider, useEvents, useSpokeState } from '@nave/spoke/react'
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
  const state = useSpokeState(({ name }) => name)
  return (
    <p>
      {moves} moves, {state}
    </p>
  )
}
