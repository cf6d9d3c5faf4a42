import { expect, test } from 'vitest'
import type { Conversation } from '../../src/model.js'
import { unreadOf } from '../../src/unread.js'

const said = (id: string, message?: string, author = 'ben'): Conversation => ({
  id,
  title: id,
  rev: 1,
  lastMessage: message === undefined ? null : { id: message, conversation: id, author, text: '', at: '' },
})

test('new is what somebody else has said since one looked', () => {
  const known = new Map([
    ['design', 'm1'],
    ['release', undefined],
  ])
  const unread = (...conversations: Conversation[]) => [...unreadOf(conversations, known, 'ada')]
  expect(unread(said('design', 'm1'), said('release'))).toEqual([])
  expect(unread(said('design', 'm2'), said('release', 'm3'))).toEqual(['design', 'release'])
  expect(unread(said('design', 'm2', 'ada'))).toEqual([])
  expect(unread(said('never looked at', 'm4'))).toEqual([])
})
