import type { EventOf } from '@nave/spoke'
import { expect, test } from 'vitest'
import { type Deed, deedsAfter } from '../../src/activity.js'
import type { Events } from '../../src/model.js'

const none: readonly Deed[] = []

/** What a person's token allows: any type, with any data. */
function said(type: string, data?: unknown): readonly Deed[] {
  return deedsAfter(none, { topic: 'sessions/ada', type, key: 'activity', data } as EventOf<Events>)
}

test('what people publish themselves is shown if it is words, and not too many', () => {
  expect(said('session.activity', { what: 'wrote in Design' })).toMatchObject([
    { user: 'ada', what: 'wrote in Design' },
  ])
  expect(said('session.started', { session: 's' })).toMatchObject([{ what: 'came' }])
  expect(said('session.activity', { what: 'x'.repeat(200_000) })[0]?.what).toHaveLength(100)
  for (const data of [undefined, null, 'text', 7, {}, { what: { a: 1 } }, { what: ['a'] }])
    expect(said('session.activity', data)).toBe(none)
  for (const type of ['constructor', '__proto__', 'toString', 'card.moved']) expect(said(type, {})).toBe(none)
})
