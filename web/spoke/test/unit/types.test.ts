import { expectTypeOf, test } from 'vitest'
import { createSpoke, type Schema } from '../../src/index.js'
import { createTracker, type SessionEvents, type trackSession } from '../../src/session/index.js'

interface Events {
  'card.moved': { column: string }
  'card.counted': number
}

const text: Schema<{ title: string }> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as { title: string } }) },
}

// What the compiler holds its users to; nothing connects before somebody subscribes.
test('types of events are those of the map', () => {
  const spoke = createSpoke<Events>({ url: 'http://nowhere' })
  type Heard = Parameters<Parameters<typeof spoke.on<'card.moved'>>[2]>[0]
  expectTypeOf<Heard['data']>().toEqualTypeOf<{ column: string } | undefined>()
  // @ts-expect-error there is no such type
  type _Unknown = Parameters<typeof spoke.on<'card.sold'>>
  // @ts-expect-error a number is asked for
  const wrong: Parameters<typeof spoke.publish>[0] = { topic: 'a', type: 'card.counted', data: 'x' }
  expectTypeOf(wrong.topic).toBeString()
  spoke.close()
})

test('types of events are those of the schemas', () => {
  const spoke = createSpoke({ url: 'http://nowhere', schemas: { 'card.renamed': text } })
  type Heard = Parameters<Parameters<typeof spoke.on<'card.renamed'>>[2]>[0]
  expectTypeOf<Heard['data']>().toEqualTypeOf<{ title: string } | undefined>()
  spoke.close()
})

test('without a map data is unknown, and never any', () => {
  const spoke = createSpoke({ url: 'http://nowhere' })
  type Heard = Parameters<Parameters<typeof spoke.on<'whatever'>>[2]>[0]
  expectTypeOf<Heard['data']>().toBeUnknown()
  spoke.close()
})

test('what is tracked is of the map, and a session takes any spoke', () => {
  const spoke = createSpoke<Events>({ url: 'http://nowhere' })
  const tracker = createTracker(spoke, { topic: 'a', sample: { 'card.counted': 0.5 } })
  type Tracked = Parameters<typeof tracker.track<'card.moved'>>[1]
  expectTypeOf<Tracked>().toEqualTypeOf<{ column: string } | undefined>()
  // @ts-expect-error there is no such type
  type _Unknown = Parameters<typeof tracker.track<'card.sold'>>
  // @ts-expect-error nor can it be sampled
  const wrong: Parameters<typeof createTracker<Events>>[1] = { topic: 'a', sample: { 'card.sold': 1 } }
  expectTypeOf(wrong.topic).toBeString()
  expectTypeOf(spoke).toExtend<Parameters<typeof trackSession>[0]>()
  expectTypeOf<SessionEvents['session.idle']['state']>().toEqualTypeOf<'active' | 'idle'>()
  tracker.close()
  spoke.close()
})
