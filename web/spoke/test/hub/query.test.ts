import { environmentManager, QueryClient, QueryObserver } from '@tanstack/query-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createSpoke } from '../../src/index.js'
import { bindQueries, whileSilent } from '../../src/query/index.js'
import { Hub, sleep } from './hub.js'

/** On a machine with other load. */
const soon = { timeout: 15_000 }

// In Node, where streams are the same and a hub is too.
let hub: Hub
beforeAll(async () => {
  hub = await Hub.start()
  environmentManager.setIsServer(() => false) // or queries would have no intervals
})
afterAll(() => hub?.stop())

interface Card {
  version: number
  column: string
}

async function bound(queryFn: () => Promise<Card>) {
  const client = new QueryClient()
  const spoke = createSpoke<{ 'card.moved': { column: string } }>({ url: hub.url })
  const observer = new QueryObserver(client, {
    queryKey: ['card', 1],
    queryFn,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: whileSilent(spoke, 50),
    retry: false,
  })
  const seen: Card[] = []
  const unobserve = observer.subscribe(({ data }) => {
    if (data && data !== seen.at(-1)) seen.push(data)
  })
  const unbind = bindQueries<{ 'card.moved': { column: string } }, Card>(client, spoke, {
    filters: 'cards/1',
    queryKey: ['card'],
    apply: (card, event) =>
      (event.version ?? 0) > card.version ? { version: event.version ?? 0, column: event.data?.column ?? '' } : card,
  })
  await expect.poll(() => spoke.state.name, soon).toBe('live')
  const end = () => {
    unbind()
    unobserve()
    spoke.close()
    client.clear()
  }
  return { client, spoke, seen, end }
}

const move = async (column: string) => {
  const { events } = await hub.publish({ topic: 'cards/1', type: 'card.moved', key: '1', data: { column } })
  return events[0]?.offset ?? 0
}

test('an event changes the data that a query has', async () => {
  const { seen, end } = await bound(async () => ({ version: 0, column: 'todo' }))
  await expect.poll(() => seen.length, soon).toBeGreaterThan(0)
  const version = await move('done')
  await expect.poll(() => seen.at(-1), soon).toEqual({ version, column: 'done' })
  end()
})

test('a fetch that was under way when an event came does not undo it', async () => {
  let answer = (_: Card): void => {}
  const fetching = vi.fn(() => new Promise<Card>((resolve) => (answer = resolve)))
  const { client, seen, end } = await bound(fetching)
  answer({ version: 0, column: 'todo' })
  await expect.poll(() => seen.at(-1)?.column, soon).toBe('todo')
  // It began before the connection did, so it is repeated.
  await expect.poll(() => fetching.mock.calls.length, soon).toBe(2)
  const version = await move('doing')
  await expect.poll(() => seen.at(-1)?.version, soon).toBe(version)
  answer({ version: 0, column: 'todo' }) // read before the event was published
  await sleep(100)
  expect(client.getQueryData(['card', 1])).toEqual({ version, column: 'doing' })
  end()
})

test('queries poll while nothing comes, and stop when it does', async () => {
  const fetching = vi.fn(async () => ({ version: 0, column: 'todo' }))
  const { spoke, end } = await bound(fetching)
  await sleep(200)
  const live = fetching.mock.calls.length
  await sleep(300)
  expect(fetching.mock.calls.length).toBe(live)
  spoke.disable()
  await expect.poll(() => fetching.mock.calls.length, soon).toBeGreaterThan(live + 2)
  spoke.enable()
  await expect.poll(() => spoke.state.name, soon).toBe('live')
  await sleep(100)
  const again = fetching.mock.calls.length
  await sleep(300)
  expect(fetching.mock.calls.length).toBe(again)
  end()
})
