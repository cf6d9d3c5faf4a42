import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type LiveState, liveState, MergeError, mergeFields } from '../../src/state/index.js'
import { type Card, StateHub } from './state-hub.js'

const settle = () => new Promise((resolve) => setImmediate(resolve))

function begin(): { hub: StateHub; live: LiveState<Card> } {
  const hub = new StateHub()
  return { hub, live: liveState<Card>(hub.spoke, { topic: 't', type: 'card' }) }
}

/** Lets everything that waits come about. */
async function drain(hub: StateHub): Promise<void> {
  for (let n = 0; n < 1_000; n++) {
    await settle()
    if (hub.awaiting) hub.snapshot()
    else if (hub.posts.length > 0) hub.take(0)
    else if (hub.answers.length > 0) hub.answer(0)
    else if (hub.undelivered > 0) hub.deliver()
    else return
  }
  throw new Error('it does not come to rest')
}

describe('a live state', () => {
  test('shows a change at once, and does not let go of it between the answer and the event', async () => {
    const { hub, live } = begin()
    hub.write('a', () => ({ theirs: 1 }))
    hub.snapshot()
    const shown: unknown[] = []
    live.watch(() => shown.push(live.items.get('a')))
    const update = live.update('a', (card) => ({ ...card, mine: 7 }))
    expect(shown.at(-1)).toEqual({ data: { theirs: 1, mine: 7 }, version: 1, pending: true })
    await settle()
    hub.take(0)
    hub.answer(0)
    await update
    expect(live.items.get('a')).toEqual({ data: { theirs: 1, mine: 7 }, version: 1, pending: true })
    hub.deliver()
    expect(live.items.get('a')).toEqual({ data: { theirs: 1, mine: 7 }, version: 2, pending: false })
    expect(shown.every((item) => JSON.stringify(item).includes('"mine":7'))).toBe(true)
    live.close()
  })

  test('is another map after a change, with the same items where nothing has changed', () => {
    const { hub, live } = begin()
    hub.write('a', () => ({ theirs: 1 }))
    hub.write('b', () => ({ theirs: 1 }))
    hub.snapshot()
    const before = live.items
    hub.write('a', () => ({ theirs: 2 }))
    hub.deliver()
    expect(live.items).not.toBe(before)
    expect(live.items.get('b')).toBe(before.get('b'))
    live.close()
  })

  test('undoes a change that is refused, and says why', async () => {
    const { hub, live } = begin()
    hub.snapshot()
    const update = live.update('a', () => ({ mine: 1 }))
    const refused = expect(update).rejects.toThrow('no')
    await settle()
    hub.posts[0]?.reject(new Error('no'))
    await refused
    expect(live.items.size).toBe(0)
    live.close()
  })

  test('a watcher that throws stops nothing', async () => {
    const { hub, live } = begin()
    hub.snapshot()
    const heard = vi.fn()
    live.watch(() => {
      throw new Error('a watcher is broken')
    })
    live.watch(heard)
    const update = live.update('a', () => ({ mine: 1 }))
    expect(heard).toHaveBeenCalledOnce()
    await drain(hub)
    await update
    expect(hub.state.get('a')?.data).toEqual({ mine: 1 })
    expect(live.items.get('a')).toMatchObject({ pending: false })
    expect(hub.reported).toContainEqual(new Error('a watcher is broken'))
    live.close()
  })

  test('what comes after a change that was refused does not bring it back', async () => {
    const { hub, live } = begin()
    hub.write('a', () => ({ theirs: 1 }))
    hub.snapshot()
    const first = live.update('a', (card) => ({ ...card, mine: 1 }))
    const second = live.update('a', (card) => ({ ...card, theirs: 2 }))
    const refused = expect(first).rejects.toThrow('no')
    await settle()
    hub.posts.shift()?.reject(new Error('no'))
    await refused
    await drain(hub)
    await second
    expect(hub.state.get('a')?.data).toEqual({ theirs: 2 })
    live.close()
  })

  test('a change whose event has come is stored, though no answer comes', async () => {
    const { hub, live } = begin()
    hub.snapshot()
    const update = live.update('a', () => ({ mine: 1 }))
    await settle()
    const post = hub.posts[0]
    hub.take(0)
    hub.deliver()
    post?.reject(new Error('the answer is lost'))
    await update
    expect(live.items.get('a')).toMatchObject({ data: { mine: 1 }, pending: false })
    live.close()
  })

  test('lets go of a change whose event does not come when one after it has', async () => {
    const { hub, live } = begin()
    hub.snapshot()
    const update = live.update('a', () => ({ mine: 1 }))
    await settle()
    hub.take(0)
    hub.answer(0)
    await update
    hub.write('b', () => ({ theirs: 1 }))
    hub.omit()
    expect(live.items.has('a')).toBe(true)
    hub.deliver()
    expect(live.items.has('a')).toBe(false)
    live.close()
  })

  test('lets go of a change that was stored in a log that is no more', async () => {
    const { hub, live } = begin()
    hub.snapshot()
    const update = live.update('a', () => ({ mine: 1 }))
    await settle()
    hub.take(0)
    hub.answer(0)
    await update
    hub.lose()
    expect(live.items.get('a')).toMatchObject({ pending: true })
    hub.snapshot()
    expect(live.items.size).toBe(0)
    live.close()
  })

  test('the same changed by both is for somebody to choose', async () => {
    const { hub, live } = begin()
    hub.write('a', () => ({ theirs: 1, mine: 1 }))
    hub.snapshot()
    hub.write('a', (card) => ({ ...card, mine: 2 }))
    const update = live.update('a', (card) => ({ ...card, mine: 3 }))
    const asked = update.catch((error: unknown) => error)
    await drain(hub)
    const error = await asked
    expect(error).toBeInstanceOf(MergeError)
    expect(error).toMatchObject({
      base: { theirs: 1, mine: 1 },
      theirs: { theirs: 1, mine: 2 },
      mine: { theirs: 1, mine: 3 },
      fields: ['mine'],
    })
    expect(live.items.get('a')?.data).toEqual({ theirs: 1, mine: 2 })
    live.close()
  })

  test('removes, and brings back', async () => {
    const { hub, live } = begin()
    hub.write('a', () => ({ theirs: 1 }))
    hub.snapshot()
    void live.update('a', () => undefined)
    expect(live.items.has('a')).toBe(false)
    await drain(hub)
    expect(hub.state.get('a')?.data).toBeUndefined()
    void live.update('a', () => ({ mine: 1 })) // of a version that the removal has left, and nobody knows
    await drain(hub)
    expect(hub.state.get('a')?.data).toEqual({ mine: 1 })
    expect(live.items.get('a')).toMatchObject({ data: { mine: 1 }, pending: false })
    live.close()
  })

  // We count in one field and somebody else in another, while events, answers and resets
  // come in any order. Neither count is ever seen to go back, and at the end what is
  // shown is what the hub has.
  test('shows nothing older after something newer, whatever comes when, and the truth at the end', async () => {
    const steps = fc.array(fc.record({ what: fc.nat(11), which: fc.nat(50) }), { maxLength: 100 })
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { hub, live } = begin()
        for (const key of ['a', 'b']) hub.write(key, () => ({}))
        hub.snapshot()
        const counts = new Map<string, number>()
        const updates: Promise<unknown>[] = []
        const last = new Map<string, { mine: number; theirs: number; version: number }>()
        const wrong: string[] = []
        const undone: string[] = []
        let refused = 0
        live.watch(() => {
          for (const [key, { data, version }] of live.items) {
            const { mine = 0, theirs = 0 } = data
            const before = last.get(key) ?? { mine: 0, theirs: 0, version: 0 }
            const told = `${key}: ${JSON.stringify(before)}, and then ${JSON.stringify(live.items.get(key))}`
            if (mine < before.mine) undone.push(told)
            const known = Math.max(before.theirs, hub.told.get(key)?.theirs ?? 0)
            if (theirs < known || version < before.version) wrong.push(told)
            last.set(key, { mine, theirs, version })
          }
          for (const key of last.keys()) if (!live.items.has(key)) wrong.push(`${key} is gone`)
        })
        const next = (key: string) => {
          const n = (counts.get(key) ?? 0) + 1
          counts.set(key, n)
          return n
        }
        for (const { what, which } of all) {
          const key = which % 2 ? 'a' : 'b'
          if (what <= 1) {
            const mine = next(`mine ${key}`)
            const update = live.update(key, (card) => ({ ...card, mine }))
            updates.push(
              update.catch(() => {
                refused++ // somebody else was faster three times
              }),
            )
          } else if (what <= 3) {
            const theirs = next(`theirs ${key}`)
            hub.write(key, (card) => ({ ...card, theirs }))
          } else if (what <= 5) hub.take(which % Math.max(hub.posts.length, 1))
          else if (what <= 7) hub.answer(which % Math.max(hub.answers.length, 1))
          else if (what <= 9) hub.deliver()
          else if (what === 10) hub.snapshot()
          else hub.reset()
          await settle()
        }
        await drain(hub)
        await Promise.all(updates)
        expect(wrong).toEqual([])
        expect(undone.length, undone.join('; ')).toBeLessThanOrEqual(refused)
        for (const [key, { data, version }] of hub.state) {
          expect(live.items.get(key)).toEqual({ data, version, pending: false })
        }
        expect(live.items.size).toBe(hub.state.size)
        live.close()
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a merge', () => {
  test('takes what each has changed', () => {
    expect(mergeFields({ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 })).toEqual({ a: 2, b: 2 })
    expect(mergeFields<object>({ a: 1, b: 1 }, { a: 1 }, { a: 1, b: 1, c: 1 })).toEqual({ a: 1, c: 1 })
    expect(mergeFields<object>({ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1 })).toEqual({ a: 2 })
    expect(mergeFields({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, { a: [2] })).toEqual({ a: [2] })
  })

  test('takes fields by what they are named alone', () => {
    const named = JSON.parse('{"t":1,"__proto__":{"admin":true}}')
    const merged = mergeFields<{ t: number; x?: number; admin?: boolean }>({ t: 1 }, { t: 1, x: 1 }, named)
    expect(merged?.admin).toBeUndefined()
    expect(JSON.stringify(merged)).toBe('{"t":1,"x":1,"__proto__":{"admin":true}}')
    expect(mergeFields<object>({ t: 1, toString: 'a' }, { t: 2, toString: 'a' }, { t: 1 })).toEqual({ t: 2 })
    expect(mergeFields<object>({ toString: 1 }, {}, { toString: 1 })).toEqual({})
    expect(mergeFields<object>({ t: 1 }, { t: 2 }, { t: 1, valueOf: 1 })).toEqual({ t: 2, valueOf: 1 })
  })

  test('takes what both have changed alike', () => {
    expect(mergeFields({ a: 1 }, { a: 2 }, { a: 2 })).toEqual({ a: 2 })
    expect(mergeFields<number>(undefined, 1, 1)).toBe(1)
    expect(mergeFields<object>({ a: 1 }, undefined, undefined)).toBeUndefined()
  })

  test('of a removal and a change is for somebody to choose', () => {
    expect(() => mergeFields<object>({ a: 1 }, undefined, { a: 2 })).toThrow(MergeError)
    expect(() => mergeFields<object>({ a: 1 }, { a: 2 }, undefined)).toThrow(MergeError)
    expect(() => mergeFields<object>(undefined, { a: 1 }, { a: 2 })).toThrow(/as a whole/)
  })

  test('keeps nothing of what nobody else has touched but removed', () => {
    expect(mergeFields<object>({ a: 1 }, { a: 1 }, undefined)).toBeUndefined()
    expect(mergeFields<object>({ a: 1 }, undefined, { a: 1 })).toBeUndefined()
  })

  test('knows an entity again whatever the order of its fields', () => {
    expect(mergeFields<object>({ a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 }, { a: 3 })).toEqual({ a: 3 })
  })
})
