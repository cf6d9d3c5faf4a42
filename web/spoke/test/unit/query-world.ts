import type { QueryClient } from '@tanstack/query-core'
import { expect, vi } from 'vitest'
import { createSpoke, type EventOf, HubError, type Spoke, type Subscriber } from '../../src/index.js'
import { initial, type State } from '../../src/machine/state.js'
import { bindQueries, liveQueries, liveQuery, whileSilent } from '../../src/query/index.js'

export type Events = { 'card.moved': { column: string } }

export interface Card {
  version: number
}

/** A spoke whose subscribers are called by hand. */
export function fakeSpoke() {
  const spoke = createSpoke<Events>({ url: 'http://nowhere' })
  const subscribers = new Set<Subscriber<Events>>()
  const watchers = new Set<(state: State) => void>()
  const { memory } = initial(1)
  let state: State = { name: 'live', rung: 0, since: 0, memory }
  const cursors: (string | undefined)[] = []
  let cursor: string | undefined = 'e-0'
  vi.spyOn(spoke, 'state', 'get').mockImplementation(() => state)
  vi.spyOn(spoke, 'cursor', 'get').mockImplementation(() => cursor)
  vi.spyOn(spoke, 'watch').mockImplementation((watcher) => {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  })
  vi.spyOn(spoke, 'subscribe').mockImplementation((_, to, options) => {
    const subscriber = typeof to === 'function' ? { events: to } : to
    subscribers.add(subscriber)
    cursors.push(options?.cursor)
    return () => subscribers.delete(subscriber)
  })
  return {
    spoke,
    subscribers,
    watchers,
    cursors,
    stand: (at: string | undefined) => (cursor = at),
    events: (...versions: number[]) => {
      for (const { events } of subscribers) events(versions.map(moved))
    },
    reset: () => {
      for (const subscriber of subscribers) subscriber.reset?.('retention')
    },
    begun: () => {
      for (const subscriber of subscribers) subscriber.begun?.()
    },
    refuse: () => {
      const error = new HubError({ code: 'forbidden', status: 403, detail: 'not yours' })
      for (const subscriber of subscribers) expect(() => subscriber.refused?.(error)).toThrow(error) // the spoke tells it
      subscribers.clear()
    },
    become: (name: 'live' | 'disabled') => {
      state = name === 'live' ? { name, rung: 0, since: 0, memory } : { name, by: 'app', asking: false, memory }
      for (const watcher of watchers) watcher(state)
    },
  }
}

export const moved = (version: number): EventOf<Events> => ({
  type: 'card.moved',
  topic: 'cards/1',
  key: '1',
  version,
  offset: version,
  data: { column: String(version) },
})
export const apply = (card: Card, { version = 0 }: { readonly version?: number }) =>
  version > card.version ? { version } : card

/** A server that is slow: when it reads, and when it answers, is said by hand. */
export function slowServer() {
  const flights: { version: number | undefined; answer: (card: Card | Promise<never>) => void }[] = []
  let truth = 0
  return {
    flights,
    publish: () => ++truth,
    truth: () => truth,
    fetch: () => new Promise<Card>((answer) => flights.push({ version: undefined, answer })),
    read: () => {
      for (const flight of flights) flight.version ??= truth
    },
    answer: () => {
      const flight = flights.shift()
      flight?.answer({ version: flight.version ?? truth })
    },
    fail: () => flights.shift()?.answer(Promise.reject(new Error('down'))),
  }
}

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

export const queryKey = ['cards', 1]
export const ways = {
  bindQueries: (client: QueryClient, spoke: Spoke<Events>, queryFn: () => Promise<Card>, applies: boolean) => ({
    options: { queryKey, queryFn, staleTime: Number.POSITIVE_INFINITY, refetchInterval: whileSilent(spoke, 2_000) },
    end: bindQueries<Events, Card>(client, spoke, {
      filters: 'cards/1',
      queryKey: ['cards'],
      ...(applies && { apply }),
    }),
  }),
  liveQuery: (client: QueryClient, spoke: Spoke<Events>, queryFn: () => Promise<Card>, applies: boolean) => ({
    options: liveQuery(
      spoke,
      { queryKey, queryFn, refetchInterval: 2_000 },
      { filters: 'cards/1', ...(applies && { apply }) },
    ),
    end: liveQueries(client, spoke),
  }),
}
