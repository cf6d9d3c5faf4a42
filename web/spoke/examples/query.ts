// What docs/spoke.md shows of TanStack Query.
import { createSpoke } from '@nave/spoke'
import { bindQueries, liveQueries, liveQuery, whileSilent } from '@nave/spoke/query'
import { QueryClient, useMutation, useQuery } from '@tanstack/react-query'

interface Card {
  id: string
  version: number
  column: string
}
type Events = { 'card.moved': { column: string } }

const fetchCards = async (): Promise<Card[]> => (await fetch('/api/cards')).json()

const spoke = createSpoke<Events>({ url: 'https://hub.example.com' })
const client = new QueryClient()
liveQueries(client, spoke)

export function useCards() {
  return useQuery(liveQuery(spoke, { queryKey: ['cards'], queryFn: fetchCards }, { filters: 'cards/*' }))
}

export const board = liveQuery(
  spoke,
  { queryKey: ['cards', 'board-1'], queryFn: fetchCards, refetchInterval: 10_000 },
  {
    filters: 'cards/board-1',
    apply: (cards, { key, version = 0, data }) =>
      data && cards.map((card) => (card.id === key && version > card.version ? { ...card, version, ...data } : card)),
  },
)

export function useMove(card: Card) {
  const change = (now: Partial<Card>) =>
    client.setQueryData<Card[]>(['cards', 'board-1'], (cards) =>
      cards?.map((each) => (each.id === card.id ? { ...each, ...now } : each)),
    )
  return useMutation({
    mutationFn: (column: string) =>
      spoke.publish({
        topic: 'cards/board-1',
        type: 'card.moved',
        key: card.id,
        data: { column },
        ifVersion: card.version,
      }),
    onMutate: async (column) => {
      await client.cancelQueries({ queryKey: ['cards', 'board-1'] })
      change({ column }) // the version stays: events up to it change nothing, and newer ones do
    },
    onSuccess: ({ events: [event] }) => change(event?.version ? { version: event.version } : {}),
    onError: () => client.invalidateQueries({ queryKey: ['cards', 'board-1'] }),
  })
}

export function bind(): () => void {
  return bindQueries<Events, Card[]>(client, spoke, {
    filters: 'cards/**',
    queryKey: ['cards'],
    keyOf: ({ topic }) => ['cards', topic.slice('cards/'.length)],
  })
}

export const users = {
  queryKey: ['users'],
  queryFn: async () => (await fetch('/api/users')).json(),
  refetchInterval: whileSilent(spoke, 30_000),
}
