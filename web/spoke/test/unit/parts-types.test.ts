import { type InfiniteData, QueryClient, queryOptions, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { expectTypeOf, test } from 'vitest'
import { createSpoke } from '../../src/index.js'
import { followPresence, type Member } from '../../src/presence/index.js'
import { type DataOf, liveQueries, liveQuery, whileSilent } from '../../src/query/index.js'
import { type Publishing, useEvents, type useHubStatus, type usePresence } from '../../src/react/index.js'

interface Events {
  'card.moved': { column: string }
  'card.counted': number
}
interface Card {
  id: string
  version: number
}

const spoke = createSpoke<Events>({ url: 'http://nowhere' })

// What the compiler holds users to; nothing of it is called.
test('options of a live query keep their type, and its events are those of the spoke', () => {
  const plain = { queryKey: ['cards'], queryFn: async (): Promise<Card[]> => [] }
  const live = liveQuery(spoke, plain, {
    filters: 'cards/*',
    apply: (cards, event) => {
      expectTypeOf(cards).toEqualTypeOf<Card[]>()
      expectTypeOf(event.type).toEqualTypeOf<'card.moved' | 'card.counted'>()
      if (event.type === 'card.moved') expectTypeOf(event.data).toEqualTypeOf<{ column: string } | undefined>()
      return cards
    },
    cursorOf: (cards) => cards[0]?.id,
  })
  expectTypeOf(live).toEqualTypeOf(plain)
  const used = () => {
    expectTypeOf(useQuery(live).data).toEqualTypeOf<Card[] | undefined>()
    expectTypeOf(useSuspenseQuery(live).data).toEqualTypeOf<Card[]>()
    const polled = queryOptions({
      queryKey: ['cards'],
      queryFn: async (): Promise<Card[]> => [],
      refetchInterval: ({ state: { data } }) => (data?.length ? 1_000 : false),
    })
    expectTypeOf(useQuery(liveQuery(spoke, polled, { filters: 'cards/*' })).data).toEqualTypeOf<Card[] | undefined>()
    // @ts-expect-error data is a list
    liveQuery(spoke, plain, { filters: 'cards/*', apply: () => 7 })
    // @ts-expect-error there is nothing to follow
    liveQuery(spoke, plain, {})
    liveQueries(new QueryClient(), spoke)
  }
  expectTypeOf(used).toBeFunction()
  const tagged = queryOptions({ queryKey: ['cards'], queryFn: async (): Promise<Card[]> => [] })
  expectTypeOf<DataOf<typeof tagged>>().toEqualTypeOf<Card[]>()
  const pages = { queryKey: ['pages'], queryFn: async (): Promise<Card[]> => [], initialPageParam: 0 }
  expectTypeOf<DataOf<typeof pages>>().toEqualTypeOf<InfiniteData<Card[]>>()
  expectTypeOf(whileSilent(spoke, 1)).returns.toEqualTypeOf<number | false>()
})

test('hooks know the types of events, and what they give', () => {
  const used = () => {
    useEvents<Events>('cards/*', ([event]) => {
      if (event?.type === 'card.counted') expectTypeOf(event.data).toEqualTypeOf<number | undefined>()
    })
    // @ts-expect-error a filter is a text
    useEvents<Events>(7, () => {})
    // @ts-expect-error it is seen or not
    followPresence(spoke, 'boards/1', { announce: 'maybe' })
  }
  expectTypeOf(used).toBeFunction()
  type Publish = Publishing<Events>['publish']
  expectTypeOf<Publish>().toBeCallableWith({ topic: 'cards/1', type: 'card.counted', data: 7 })
  expectTypeOf<Publish>().toBeCallableWith([{ topic: 'cards/1', type: 'card.moved', data: { column: 'done' } }])
  // @ts-expect-error a number is asked for
  const _wrong: Parameters<Publish>[0] = { topic: 'cards/1', type: 'card.counted', data: 'x' }
  expectTypeOf<ReturnType<typeof useHubStatus>>().not.toBeAny()
  expectTypeOf<ReturnType<typeof usePresence>['members']>().toEqualTypeOf<readonly Member[]>()
})
