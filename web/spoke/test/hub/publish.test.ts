import { expect, test } from 'vitest'
import { eventually, sleep } from './hub.js'
import { world } from './world.js'

const { hub, proxy, site } = await world()

interface Page {
  events: { data: unknown; id: string }[]
}

const all = async (topic: string, cursor: string) =>
  (await hub.call<Page>('GET', `/v1/events?topic=${topic}&cursor=${cursor}`)).events

const here = async () => (await hub.publish({ topic: 'elsewhere', type: 't' })).cursor

test('an event and a batch are published, with ids', async () => {
  const from = await here()
  const page = await site.start({ url: hub.url })
  const [one, many] = await page.evaluate(async () => [
    await globalThis.spoke.publish({ topic: 'p/1', type: 't', key: 'k', data: 1 }),
    await globalThis.spoke.batch([
      { topic: 'p/1', type: 't', data: 2 },
      { topic: 'p/1', type: 't', data: 3 },
    ]),
  ])
  expect(one?.events[0]?.version).toBeGreaterThan(0)
  expect(many?.events).toHaveLength(2)
  const stored = await all('p/1', from)
  expect(stored.map(({ data }) => data)).toEqual([1, 2, 3])
  expect(new Set(stored.map(({ id }) => id)).size).toBe(3)
})

test('who was slower is told by what', async () => {
  const page = await site.start({ url: hub.url })
  const conflict = await page.evaluate(async () => {
    const { spoke } = globalThis
    await spoke.publish({ topic: 'p/2', type: 't', key: 'k', data: 'first', ifVersion: 0 })
    try {
      await spoke.publish({ topic: 'p/2', type: 't', key: 'k', data: 'second', ifVersion: 0 })
      return undefined
    } catch (error) {
      const { name, conflicts } = error as Error & { conflicts: { version: number; event?: { data?: unknown } }[] }
      const [theirs] = conflicts
      const rebased = await spoke.publish({
        topic: 'p/2',
        type: 't',
        key: 'k',
        data: 'third',
        ifVersion: theirs?.version ?? 0,
      })
      return { name, data: theirs?.event?.data, rebased: rebased.events[0]?.version }
    }
  })
  expect(conflict).toMatchObject({ name: 'ConflictError', data: 'first' })
  expect(conflict?.rebased).toBeGreaterThan(0)
})

test('an answer that is lost is asked for again, and the event stored once', async () => {
  const from = await here()
  const page = await site.start({ url: proxy.url })
  await page.evaluate(() => globalThis.spoke.publish({ topic: 'p/warm', type: 't' })) // with preflight
  await proxy.set({ mode: 'swallow' })
  const publishing = page.evaluate(() => globalThis.spoke.publish({ topic: 'p/3', type: 't', data: 'once' }))
  await eventually(
    () => all('p/3', from),
    (stored) => stored.length === 1,
  )
  await proxy.set()
  await proxy.cut()
  expect((await publishing).repeat).toBe(true)
  expect(await all('p/3', from)).toHaveLength(1)
})

test('what cannot be is refused at once', async () => {
  const page = await site.start({ url: hub.url })
  const message = await page.evaluate(() =>
    globalThis.spoke.publish({ topic: 'p/*', type: 't' }).then(
      () => undefined,
      (error: Error) => `${error.name}: ${error.message}`,
    ),
  )
  expect(message).toMatch(/^HubError: .*\* is only for filters/)
})

test('what was published on leaving arrives', async () => {
  const from = await here()
  const page = await site.start({ url: hub.url })
  await page.evaluate(() => {
    addEventListener('pagehide', () => void globalThis.spoke.publish({ topic: 'p/4', type: 'left', data: 1 }))
  })
  await page.goto('about:blank')
  await eventually(
    () => all('p/4', from),
    (stored) => stored.length === 1,
  )
})

test('what waits for its next try has it when the page is left', async () => {
  const from = await here()
  const page = await site.start({ url: proxy.url })
  await page.evaluate(() => globalThis.spoke.publish({ topic: 'p/warm', type: 't' }))
  await proxy.set({ mode: 'refuse' })
  await proxy.cut()
  await page.evaluate(() => void globalThis.spoke.publish({ topic: 'p/5', type: 't', data: 1 }).catch(() => {}))
  await sleep(4_000) // several tries: the next pause is a long one
  expect(await all('p/5', from)).toEqual([])
  await proxy.set()
  await page.goto('about:blank')
  await eventually(
    () => all('p/5', from),
    (stored) => stored.length === 1,
  )
})
