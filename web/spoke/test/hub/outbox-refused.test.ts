import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { drained, here, offline, openEdits, outcomes, put, stored, titles, waiting } from './edits.js'
import type { Options } from './edits-page.js'
import { eventually } from './hub.js'
import { world } from './world.js'

const { hub, proxy, site } = await world()

const open = (options: Partial<Options> = {}): Promise<Page> =>
  openEdits(site, { url: proxy.url, identity: 'alice', ...options })

describe('a conflict', () => {
  const version = async (key: string, title: string) =>
    (await hub.publish({ topic: 'cards/1', type: 'card', key, data: { title } })).events[0]?.offset ?? 0

  test('is given up, if nobody settles it, and every tab is told', async () => {
    const old = await version('c1', 'theirs')
    await version('c1', 'theirs, newer')
    const [one, two] = [await open(), await open()]
    await put(two, 'c1', 'mine', { ifVersion: old })
    for (const page of [one, two]) {
      const [reason] = await eventually(
        () => page.evaluate(() => globalThis.edits.givenUp),
        (all) => all.length === 1,
      )
      expect(reason).toMatch(/c1 .*has version/)
    }
    expect((await outcomes(two))[0]).toMatch(/c1 .*has version/)
  })

  test('is settled, with the same ids', async () => {
    const old = await version('c2', 'theirs')
    await version('c2', 'theirs, newer')
    const from = await here(hub)
    const page = await open({ conflict: 'mine' })
    await offline(page, proxy)
    await put(page, 'c2', 'mine', { ifVersion: old })
    const id = await page.evaluate(() => globalThis.edits.outbox.items[0]?.drafts[0]?.id)
    await proxy.set()
    await drained(page)
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(await stored(hub, from)).toEqual([expect.objectContaining({ id, data: { title: 'mine' } })])
  })

  test('is dropped, and whoever waits is told', async () => {
    await version('c3', 'theirs')
    const from = await here(hub)
    const page = await open({ conflict: 'drop' })
    await put(page, 'c3', 'mine', { ifVersion: 0 })
    await eventually(
      () => outcomes(page),
      (all) => /dropped/.test(all[0] ?? ''),
    )
    expect(await stored(hub, from)).toEqual([])
    expect(await page.evaluate(() => globalThis.edits.outbox.givenUp.length)).toBe(0)
  })

  test('does not come of what the items before it in the lane have done, also over a crash', async () => {
    const from = await here(hub)
    const page = await open()
    await offline(page, proxy)
    for (const title of ['first', 'second', 'third']) await put(page, 'c4', title, { ifVersion: 0, chain: true })
    await proxy.set({ mode: 'swallow' })
    await eventually(
      () => stored(hub, from),
      (events) => events.length === 1,
    )
    await page.close()
    await proxy.set()
    await proxy.cut()
    const next = await open()
    await drained(next)
    expect(await titles(hub, from)).toEqual(['first', 'second', 'third'])
  })
})

describe('bounds', () => {
  test('behaviour 24: a disk that is full makes room in memory, and says so', async () => {
    const from = await here(hub)
    const page = await site.open('/edits')
    const session = await page.context().newCDPSession(page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 500_000 })
    await page.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    await offline(page, proxy)
    expect(await put(page, 'a', 'on disk')).toBe('disk')
    const many = Array.from({ length: 20 }, (_, n) => String(n).repeat(40_000 / String(n).length))
    const kept = await page.evaluate((notes) => {
      const drafts = notes.map((title) => ({ topic: 'cards/1', type: 'card' as const, key: 'a', data: { title } }))
      return globalThis.edits.outbox.enqueue(drafts).stored
    }, many)
    expect(kept).toBe('memory')
    expect(await page.evaluate(() => globalThis.edits.outbox.durability)).toBe('memory')
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url }) // there is room again
    await page.waitForFunction(() => globalThis.edits.outbox.durability === 'disk')
    await page.close()
    await proxy.set()
    await drained(await open())
    expect(await titles(hub, from)).toEqual(['on disk', ...many])
  })

  test('behaviour 24: without IndexedDB all is in memory, and says so', async () => {
    const from = await here(hub)
    const page = await site.open('/edits')
    await page.evaluate(() => {
      indexedDB.open = () => {
        throw new DOMException('not here', 'SecurityError')
      }
    })
    await page.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    expect(await put(page, 'a', 'one')).toBe('memory')
    await eventually(
      () => outcomes(page),
      (all) => all[0] === 'sent',
    )
    expect(await titles(hub, from)).toEqual(['one'])
    expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
  })

  test('behaviour 24: a disk that never answers is done without', async () => {
    const page = await site.open('/edits')
    await page.evaluate(() => {
      const slow = globalThis.setTimeout
      globalThis.setTimeout = ((f: () => void, ms: number) => slow(f, ms / 20)) as typeof setTimeout
      indexedDB.open = () => Object.create(IDBOpenDBRequest.prototype, { onsuccess: { writable: true } })
    })
    await page.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    expect(await put(page, 'a', 'one')).toBe('memory')
    await eventually(
      () => outcomes(page),
      (all) => all[0] === 'sent',
    )
    expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
  })

  test('behaviour 24: a disk that fails at first is read when it does not any more', async () => {
    const from = await here(hub)
    const before = await open()
    await offline(before, proxy)
    await put(before, 'a', 'left')
    await before.close()
    await proxy.set()
    const page = await site.open('/edits')
    await page.evaluate(() => {
      const open = indexedDB.open
      indexedDB.open = () => {
        throw new DOMException('not yet', 'UnknownError')
      }
      setTimeout(() => {
        indexedDB.open = open
      }, 500)
    })
    await page.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    expect(await page.evaluate(() => globalThis.edits.outbox.durability)).toBe('memory')
    await eventually(
      () => titles(hub, from),
      (all) => all[0] === 'left',
    )
    await page.waitForFunction(() => globalThis.edits.outbox.durability === 'disk')
  })

  test('behaviour 24: what was on a disk that was emptied is put there again, and sent once', async () => {
    const from = await here(hub)
    const [one, two] = [await open(), await open()]
    await offline(one, proxy)
    await put(one, 'a', 'one')
    await put(two, 'b', 'two')
    await one.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase('nave-outbox/1 alice')
          request.onsuccess = resolve
          request.onerror = reject
          request.onblocked = reject
        }),
    )
    await eventually(
      () => one.evaluate(() => indexedDB.databases()),
      (all) => all.length === 1, // though nobody has written since
    )
    expect(await put(two, 'c', 'three')).toBe('disk')
    for (const page of [one, two]) {
      await page.waitForFunction(() => globalThis.edits.outbox.durability === 'disk')
      expect(await waiting(page)).toBe(3)
      expect(await page.evaluate(() => globalThis.edits.unhandled)).toEqual([])
    }
    await two.close()
    await proxy.set()
    await eventually(
      () => outcomes(one),
      (all) => all[0] !== undefined,
    )
    expect(await outcomes(one)).toEqual(['sent'])
    await drained(one)
    expect((await titles(hub, from)).sort()).toEqual(['one', 'three', 'two'])
  })

  test('what is enqueued comes after what was left, though the clock was set back; nothing once it is closed', async () => {
    const from = await here(hub)
    const before = await open()
    await offline(before, proxy)
    await put(before, 'a', 'left')
    await before.close()
    await proxy.set()
    const page = await site.open('/edits')
    await page.evaluate(
      async (o) => {
        const now = Date.now
        Date.now = () => now() - 3_600_000
        const begun = globalThis.edits.begin(o)
        await globalThis.edits.put('a', { title: 'new' })
        await begun
      },
      { url: proxy.url, identity: 'alice' },
    )
    await drained(page)
    expect(await titles(hub, from)).toEqual(['left', 'new'])
    const refused = await page.evaluate(async () => {
      const { outbox } = globalThis.edits
      outbox.close()
      const { stored, sent } = outbox.enqueue({ topic: 'cards/1', type: 'note', data: 1 })
      return Promise.all([stored.catch(String), sent.catch(String)])
    })
    expect(refused).toEqual(['Error: the outbox is closed', 'Error: the outbox is closed'])
  })

  test('a full outbox takes no more, and says so', async () => {
    const page = await open()
    await offline(page, proxy)
    const refusal = await page.evaluate(async () => {
      const { outbox } = globalThis.edits
      const draft = (n: number) => ({ topic: 'many', type: 'note' as const, data: n })
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => outbox.enqueue(draft(n)).stored))
      return outbox.enqueue(draft(1_000)).stored.catch(String)
    })
    expect(refusal).toMatch(/the outbox is full: it holds 1000 of 1000 items/)
    expect(await waiting(page)).toBe(1_000)
    const tooLarge = await page.evaluate(async () => {
      for (const { id } of globalThis.edits.outbox.items) globalThis.edits.outbox.discard(id)
      return globalThis.edits.put('a', { title: 'x'.repeat(5_000_000) }).catch(String)
    })
    expect(tooLarge).toMatch(/of 5000000 bytes/)
  })

  test('what has waited for more than a day is given up, and says so', async () => {
    const from = await here(hub)
    const page = await open()
    await offline(page, proxy)
    await put(page, 'a', 'old')
    await page.close()
    await proxy.set()
    const next = await site.open('/edits')
    await next.evaluate(() => {
      const now = Date.now
      Date.now = () => now() + 25 * 3_600_000
    })
    await next.evaluate((o) => globalThis.edits.begin(o), { url: proxy.url, identity: 'alice' })
    await eventually(
      () => next.evaluate(() => globalThis.edits.givenUp),
      (all) => /^it has waited for more than a day/.test(all[0] ?? ''),
    )
    expect(await stored(hub, from)).toEqual([])
  })
})
