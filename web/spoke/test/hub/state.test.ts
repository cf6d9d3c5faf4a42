import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openEdits } from './edits.js'
import type { Card, Options } from './edits-page.js'
import { eventually, Hub } from './hub.js'
import { FaultyProxy } from './proxy.js'
import { world } from './world.js'

const { hub, proxy, site } = await world()

const open = (topic: string, options: Partial<Options> = {}): Promise<Page> =>
  openEdits(site, { url: proxy.url, identity: 'alice', topic, ...options })

async function ready(topic: string, options: Partial<Options> = {}): Promise<Page> {
  const page = await open(topic, options)
  await page.waitForFunction(() => globalThis.edits.live.ready)
  return page
}

const publish = (topic: string, key: string, data: Card | undefined) =>
  hub.publish({ topic, type: 'card', key, ...(data && { data }) })
const set = (page: Page, key: string, field: keyof Card, value: string) =>
  page.evaluate(([k, f, v]) => globalThis.edits.set(k, f, v), [key, field, value] as const)
const item = (page: Page, key: string) => page.evaluate((k) => globalThis.edits.live.items.get(k), key)
const shown = (page: Page, key: string) =>
  page.evaluate((k) => globalThis.edits.shown[k]?.map((text): Card => JSON.parse(text)) ?? [], key)
const stateOf = async (topic: string) =>
  (await hub.call<{ items: { key: string; data: Card }[] }>('GET', `/v1/state?topic=${topic}`)).items

/** Whether the values of a field have been shown in this order, each for one time and not again. */
function inOrder(cards: Card[], field: keyof Card): (string | undefined)[] {
  return cards.map((card) => card[field]).filter((value, i, all) => i === 0 || value !== all[i - 1])
}

test('a state has what there is, what comes, and what goes', async () => {
  await publish('s/1', 'a', { title: 'one' })
  const page = await ready('s/1')
  expect(await item(page, 'a')).toMatchObject({ data: { title: 'one' }, pending: false })
  await publish('s/1', 'a', { title: 'two' })
  await publish('s/1', 'b', { title: 'new' })
  await page.waitForFunction(() => globalThis.edits.live.items.size === 2)
  expect(await item(page, 'a')).toMatchObject({ data: { title: 'two' } })
  await publish('s/1', 'a', undefined)
  await page.waitForFunction(() => !globalThis.edits.live.items.has('a'))
})

test('behaviour 22: two who edit one card converge, and neither sees a value again that was replaced', async () => {
  await publish('s/2', 'c', { title: 'title 0', column: 'column 0' })
  const [one, two] = [await ready('s/2'), await ready('s/2')]
  for (let n = 1; n <= 8; n++) {
    const outcomes = await Promise.all([set(one, 'c', 'title', `title ${n}`), set(two, 'c', 'column', `column ${n}`)])
    expect(outcomes).toEqual(['stored', 'stored'])
  }
  const end = { title: 'title 8', column: 'column 8' }
  for (const page of [one, two]) {
    await eventually(
      () => item(page, 'c'),
      (card) => card?.pending === false && JSON.stringify(card.data) === JSON.stringify(end),
    )
    const cards = await shown(page, 'c')
    const rising = Array.from({ length: 9 }, (_, n) => n)
    // Whoever does not edit a field may miss a value; nobody sees one twice.
    for (const [field, mine] of [
      ['title', page === one],
      ['column', page === two],
    ] as const) {
      const values = inOrder(cards, field).map((value) => Number(value?.split(' ')[1]))
      expect(values, `${field}: ${JSON.stringify(cards)}`).toEqual(
        mine ? rising : [...new Set(values)].sort((a, b) => a - b),
      )
    }
  }
  expect((await stateOf('s/2'))[0]?.data).toEqual(end)
})

test('behaviour 22: a value that comes while ours is on its way does not hide it, nor ours it', async () => {
  await publish('s/3', 'c', { title: 'theirs 0', text: 'mine 0' })
  const page = await ready('s/3')
  await set(page, 'w', 'title', 'warm')
  await proxy.set({ latePages: 600 }) // the answer comes long after the event
  const outcome = set(page, 'c', 'text', 'mine 1')
  await page.waitForFunction(() => globalThis.edits.live.items.get('c')?.data.text === 'mine 1')
  await eventually(
    () => item(page, 'c'),
    (card) => card?.pending === false,
  )
  await publish('s/3', 'c', { title: 'theirs 1', text: 'mine 1' })
  expect(await outcome).toBe('stored')
  await proxy.set()
  await page.waitForFunction(() => globalThis.edits.live.items.get('c')?.data.title === 'theirs 1')
  expect(inOrder(await shown(page, 'c'), 'text')).toEqual(['mine 0', 'mine 1'])
})

test('behaviour 22: the same field changed by both is asked about, and ours is undone', async () => {
  await publish('s/4', 'c', { title: 'old' })
  const page = await ready('s/4')
  await set(page, 'w', 'title', 'warm')
  await proxy.set({ mode: 'refuse' }) // so that what the other does is not known here
  await proxy.cut()
  await publish('s/4', 'c', { title: 'theirs' })
  const asked = set(page, 'c', 'title', 'mine')
  await page.waitForFunction(() => globalThis.edits.live.items.get('c')?.data.title === 'mine')
  await proxy.set()
  expect(JSON.parse(await asked)).toMatchObject({
    base: { title: 'old' },
    theirs: { title: 'theirs' },
    mine: { title: 'mine' },
    fields: ['title'],
  })
  await page.waitForFunction(() => globalThis.edits.live.items.get('c')?.data.title === 'theirs')
  expect((await stateOf('s/4')).find(({ key }) => key === 'c')?.data).toEqual({ title: 'theirs' })
})

test('what the hub refuses is undone, and whoever asked is told', async () => {
  const page = await ready('s/5')
  const outcome = await set(page, 'c', 'title', 'x'.repeat(300_000))
  expect(outcome).toMatch(/HubError/)
  expect(await item(page, 'c')).toBeUndefined()
})

test('behaviour 23: what was changed offline is shown in other tabs and after a reload, and merged when it is sent', async () => {
  const options = { offline: true, conflict: 'merge' } as const
  await publish('s/6', 'c', { title: 'old', column: 'old' })
  const one = await ready('s/6', options)
  const two = await ready('s/6', options)
  await set(one, 'w', 'title', 'warm')
  await proxy.set({ mode: 'refuse' })
  await proxy.cut()
  const first = set(one, 'c', 'title', 'first')
  await one.waitForFunction(() => globalThis.edits.outbox.items.length === 1)
  const second = set(one, 'c', 'text', 'second')
  await one.waitForFunction(() => globalThis.edits.outbox.items.length === 2)
  await two.waitForFunction(() => globalThis.edits.live.items.get('c')?.data.text === 'second')
  expect(await item(two, 'c')).toMatchObject({ data: { title: 'first', column: 'old', text: 'second' }, pending: true })
  await two.close()
  for (const lost of [first, second]) lost.catch(() => {}) // who waits for them is closed
  await one.close()
  await publish('s/6', 'c', { title: 'old', column: 'theirs' })

  const next = await open('s/6', options)
  expect(await item(next, 'c')).toMatchObject({ data: { title: 'first', text: 'second' }, version: 0, pending: true })
  await proxy.set()
  const end = { title: 'first', column: 'theirs', text: 'second' }
  await eventually(
    () => item(next, 'c'),
    (card) => card?.pending === false,
  )
  expect((await item(next, 'c'))?.data).toEqual(end)
  expect((await stateOf('s/6')).find(({ key }) => key === 'c')?.data).toEqual(end)
  const cards = await shown(next, 'c')
  expect(inOrder(cards, 'text')).toEqual(['second'])
  expect(inOrder(cards, 'title')).toEqual(['first'])
  expect(await next.evaluate(() => globalThis.edits.outbox.givenUp)).toEqual([])
})

test('behaviour 23: what was changed offline and cannot be merged is given up, shown as such, and undone', async () => {
  const options = { offline: true, conflict: 'merge' } as const
  await publish('s/7', 'c', { title: 'old' })
  const page = await ready('s/7', options)
  await set(page, 'w', 'title', 'warm')
  await proxy.set({ mode: 'refuse' })
  await proxy.cut()
  const outcome = set(page, 'c', 'title', 'mine')
  await page.waitForFunction(() => globalThis.edits.outbox.items.length === 1)
  await publish('s/7', 'c', { title: 'theirs' })
  await proxy.set()
  expect(await outcome).toBe('ConflictError: both have changed title: choose between theirs and mine')
  expect(await page.evaluate(() => globalThis.edits.givenUp)).toEqual([
    'both have changed title: choose between theirs and mine',
  ])
  await page.waitForFunction(() => globalThis.edits.live.items.get('c')?.data.title === 'theirs')
  expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
})

test('a change stays over a reset, and goes when the hub has it', async () => {
  const own = await Hub.start()
  const between = await FaultyProxy.start(own.port)
  try {
    await own.publish({ topic: 's/8', type: 'card', key: 'c', data: { title: 'old', column: 'old' } })
    const page = await ready('s/8', { url: between.url })
    await set(page, 'w', 'title', 'warm')
    await between.set({ mode: 'refuse' })
    await between.cut()
    const outcome = set(page, 'c', 'title', 'mine')
    await own.lose()
    for (const column of ['newer', 'new']) {
      await own.publish({ topic: 's/8', type: 'card', key: 'c', data: { title: 'old', column } })
    }
    await between.set()
    expect(await outcome).toBe('stored')
    await eventually(
      () => item(page, 'c'),
      (card) => card?.pending === false && card.data.column === 'new',
    )
    expect(inOrder(await shown(page, 'c'), 'title')).toEqual(['old', 'mine'])
  } finally {
    await between.stop()
    await own.stop()
  }
})
