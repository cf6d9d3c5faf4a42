import { environmentManager, notifyManager, QueryClient, QueryObserver } from '@tanstack/query-core'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fakeSpoke, pass, queryKey, slowServer, ways } from './query-world.js'

beforeEach(() => {
  vi.useFakeTimers()
  environmentManager.setIsServer(() => false)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})
const steps = ['publish', 'deliver', 'lose', 'refetch', 'read', 'answer', 'fail', 'cancel', 'hydrate', 'pass'] as const

for (const [way, bind] of Object.entries(ways))
  test(`20. whatever comes when, the cache never goes back, and ends where the server is: ${way}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...steps), { minLength: 5, maxLength: 60 }),
        fc.boolean(),
        async (what, applies) => {
          const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
          const fake = fakeSpoke()
          const server = slowServer()
          const { options, end } = bind(client, fake.spoke, server.fetch, applies)
          const seen: number[] = []
          const observer = new QueryObserver(client, options)
          // As React does it: what is shown is what there is when all have been told.
          const look = () => {
            const { data } = observer.getCurrentResult()
            if (data !== undefined && data.version !== seen.at(-1)) seen.push(data.version)
          }
          const unobserve = observer.subscribe(notifyManager.batchCalls(look))
          let underWay: number[] = []
          const take: Record<(typeof steps)[number], () => unknown> = {
            publish: () => underWay.push(server.publish()),
            deliver: () => {
              if (underWay.length > 0) fake.events(...underWay.splice(0, 2))
            },
            lose: () => {
              underWay = []
              fake.reset()
            },
            refetch: () => void client.refetchQueries({ queryKey }).catch(() => {}),
            read: server.read,
            answer: () => {
              server.read()
              server.answer()
            },
            fail: server.fail,
            cancel: () => client.cancelQueries({ queryKey }),
            // What a server has rendered with is as of now, and comes from elsewhere.
            hydrate: () => {
              const query = client.getQueryCache().find({ queryKey })
              const data = { version: server.truth() }
              if (query?.state.data && query.state.fetchStatus === 'idle')
                query.setState({ data, dataUpdatedAt: Date.now() })
            },
            pass: () => pass(1_500),
          }
          for (const step of what) {
            await take[step]()
            await pass(1)
            look()
          }
          if (underWay.length > 0) fake.events(...underWay)
          for (let i = 0; i < 10; i++) {
            await pass(3_000)
            server.read()
            server.answer()
          }
          await pass(3_000)
          expect(seen).toEqual([...seen].sort((a, b) => a - b))
          const { data } = observer.getCurrentResult()
          if (data !== undefined) expect(data.version).toBe(server.truth())
          else expect(what).toContain('cancel')
          unobserve()
          end()
          expect(fake.subscribers.size + fake.watchers.size).toBe(0)
          client.clear()
        },
      ),
      { numRuns: 300 },
    )
  })
