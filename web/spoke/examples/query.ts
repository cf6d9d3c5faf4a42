// What docs/spoke.md shows of TanStack Query.
import { createSpoke } from '@nave/spoke'
import { bindQueries, whileSilent } from '@nave/spoke/query'
import { QueryClient } from '@tanstack/query-core'

interface Card {
  id: string
  version: number
  column: string
}
type Events = { 'card.moved': { column: string } }

const client = new QueryClient()
const spoke = createSpoke<Events>({ url: 'https://hub.example.com' })

bindQueries<Events, Card[]>(client, spoke, {
  filters: 'cards/board-1',
  queryKey: ['cards', 'board-1'],
  apply: (cards, { key, version = 0, data }) =>
    data && cards.map((card) => (card.id === key && version > card.version ? { ...card, version, ...data } : card)),
})

export const board = {
  queryKey: ['cards', 'board-1'],
  queryFn: async (): Promise<Card[]> => (await fetch('/api/cards')).json(),
  staleTime: Number.POSITIVE_INFINITY,
  refetchInterval: whileSilent(spoke, 30_000),
}
