import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame, Notice } from '../../src/frames.js'
import { createSpoke } from '../../src/index.js'
import { initial, type State } from '../../src/machine/state.js'
import { sendReceipts } from '../../src/receipts/index.js'

interface Report {
  readonly offset?: number
  readonly receipts: readonly { readonly offset: number }[]
}

/** A page, and a spoke whose stream is ours. */
function setUp() {
  const reports: Report[] = []
  const spoke = createSpoke({
    url: 'http://hub.test',
    async fetch(_, { body }) {
      await new Promise((resolve) => setTimeout(resolve, 10)) // the way there and back
      reports.push(JSON.parse(String(body)))
      return new Response(undefined, { status: 204 })
    },
  })
  const { memory } = initial(1)
  const be = (level: 'normal' | 'shed') =>
    vi.spyOn(spoke, 'state', 'get').mockReturnValue({
      name: 'live',
      rung: 0,
      since: 0,
      connection: 'c',
      memory: { ...memory, level, receipts: 1 },
    } as State)
  be('normal')
  const listen = vi.spyOn(spoke, 'listen')
  const sending = sendReceipts(spoke, { everyMs: 1_000, rendered: 'told' })
  const hear = (said: Frame | Notice) => listen.mock.calls[0]?.[0](said, performance.now())
  return {
    reports,
    be,
    heartbeat: () =>
      hear({ kind: 'heartbeat', time: new Date(Date.now()).toISOString(), cursor: 'e-1', heartbeatMs: 15_000 }),
    mark: () => hear({ kind: 'mark', cursor: 'e-1' }),
    event: (offset: number) => {
      hear({ kind: 'batch', events: [{ type: 't', topic: 'a', offset }], cursor: `e-${offset}` })
      sending.rendered({ offset })
    },
    offsets: () => reports.flatMap(({ receipts }) => receipts.map(({ offset }) => offset)),
    end: () => sending.close(),
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
  const page = new EventTarget()
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }))
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

test('what a page that was hidden is told late does not count, until the stream is known to be prompt', async () => {
  const { mark, event, offsets, end } = setUp()
  mark()
  event(1)
  document.dispatchEvent(new Event('visibilitychange'))
  event(2)
  mark()
  event(3)
  await pass(1_100)
  expect(offsets()).toEqual([1, 3])
  end()
})

test('once a clock was set, what is known of the hub is forgotten', async () => {
  const { mark, heartbeat, event, reports, end } = setUp()
  mark()
  heartbeat()
  event(1)
  await pass(1_100) // and there was a round trip
  event(2)
  await pass(1_100)
  expect(reports[1]?.offset).toBeTypeOf('number')
  vi.setSystemTime(Date.now() + 10_000)
  mark() // of which it is seen
  mark()
  event(3)
  await pass(1_100)
  expect(reports).toHaveLength(3)
  expect(reports[2]?.offset).toBeUndefined()
  end()
})

test('what waits when the hub begins to shed load is not told', async () => {
  const { mark, event, be, reports, end } = setUp()
  mark()
  event(1)
  be('shed')
  await pass(1_100)
  expect(reports).toEqual([])
  end()
})
