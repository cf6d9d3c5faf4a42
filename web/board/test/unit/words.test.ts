import { createSpoke, type State } from '@nave/spoke'
import { expect, test } from 'vitest'
import { wordsFor } from '../../src/words.js'

const idle = createSpoke({ url: 'http://nowhere' }).state
const { memory } = idle
const degraded = { ...memory, level: 'polling' } as const
const network = { kind: 'network', message: 'no route' } as const
const connecting = { name: 'connecting', streaming: true, asking: false, examining: false, memory } as const
const polling = {
  name: 'polling',
  streaming: false,
  asking: true,
  waits: true,
  failures: 0,
  probes: 1,
  since: 0,
  memory,
} as const
const problem = { status: 403, code: 'forbidden', detail: 'Not here.' }

const live: readonly (readonly [State, string, string, RegExp])[] = [
  [{ name: 'live', rung: 0, since: 0, memory }, 'good', 'Live', /as they happen/],
  [{ ...polling, memory: degraded }, 'fair', 'Live by asking', /keeps no streams open now/],
  [{ ...polling, cause: { kind: 'mute' } }, 'fair', 'Live by asking', /do not get through/],
  [{ ...polling, cause: { kind: 'ended' } }, 'fair', 'Live by asking', /until a stream is open again/],
  [connecting, 'fair', 'Connecting', /On the way/],
  [{ ...connecting, memory: degraded, cause: network }, 'fair', 'Changing over', /keeps no streams/],
  [{ ...connecting, cause: network }, 'poor', 'The hub is away', /every 30 s/],
  [{ name: 'offline', why: 'network', memory }, 'poor', 'Offline', /kept here/],
  [{ name: 'disabled', by: 'hub', asking: false, memory }, 'fair', 'Live delivery is switched off', /every 30 s/],
  [{ name: 'unauthorised', problem, memory }, 'poor', 'The hub refuses the token', /every 30 s/],
  [{ name: 'closed', problem, memory }, 'poor', 'The hub refuses', /^Not here\. The board asks/],
  [idle, 'fair', 'Idle', /Nothing/],
]

test.each(live)('what is said while live: %o', (state, tone, title, detail) => {
  expect(wordsFor('live', state, true, true)).toEqual({ tone, title, detail: expect.stringMatching(detail) })
})

test('nothing is as bad as no network, whatever the spoke has noticed of it yet', () => {
  for (const state of [undefined, connecting, ...live.map(([state]) => state)])
    expect(wordsFor('live', state, false, false)).toMatchObject({ tone: 'poor', title: 'Offline' })
  expect(wordsFor('polling', undefined, false, false)).toMatchObject({ tone: 'poor', title: 'Offline' })
})

test('a server that does not answer is told of in either mode, unless the hub is heard all the same', () => {
  const unanswered = { tone: 'poor', title: 'The server does not answer' }
  expect(wordsFor('polling', undefined, true, true)).toMatchObject({ tone: 'fair', title: 'Polling' })
  expect(wordsFor('polling', undefined, true, false)).toMatchObject(unanswered)
  expect(wordsFor('live', { ...connecting, cause: network }, true, false)).toMatchObject(unanswered)
  expect(wordsFor('live', { name: 'live', rung: 0, since: 0, memory }, true, false).title).toBe('Live')
})
