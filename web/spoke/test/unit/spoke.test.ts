import { afterEach, describe, expect, test, vi } from 'vitest'
import { createSpoke, type EventMap, type SpokeOptions } from '../../src/index.js'
import type { StreamSink, StreamTransport } from '../../src/transports/transport.js'
import type { WireEvent } from '../../src/wire.js'

/** A spoke whose stream says what it is told to. */
function streamed(options: Partial<SpokeOptions<EventMap>> = {}) {
  const streams: StreamSink[] = []
  const transport: StreamTransport = {
    name: 'test',
    open(_http, _wish, sink) {
      streams.push(sink)
      queueMicrotask(() => {
        sink.sent()
        say('hub.sync', { status: 'live', cursor: 'k-0' }, 'k-0')
      })
      return () => {}
    },
  }
  const say = (event: string, data: object, id?: string) =>
    streams.at(-1)?.message({ event, data: JSON.stringify(data), id })
  const errors: unknown[] = []
  const spoke = createSpoke({
    url: 'http://nowhere',
    transports: [transport],
    onError: (error) => errors.push(error),
    ...options,
  })
  let offset = 0
  const publish = (event: Partial<WireEvent>) => {
    offset++
    say(event.type ?? 't', { type: 't', topic: 'a', offset, ...event }, `k-${offset}`)
  }
  return { spoke, publish, errors, live: () => vi.waitUntil(() => spoke.state.name === 'live') }
}

const made: { close(): void }[] = []
afterEach(() => {
  for (const each of made.splice(0)) each.close()
  vi.unstubAllGlobals()
})

function given(options: Partial<SpokeOptions<EventMap>> = {}) {
  const all = streamed(options)
  made.push(all.spoke)
  return all
}

describe('what is not ours', () => {
  test('may throw in onError: the stream goes on, and the browser is told', async () => {
    const reported: unknown[] = []
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error))
    const { spoke, publish, live } = given({
      onError: () => {
        throw new Error('of onError')
      },
    })
    const heard: unknown[] = []
    spoke.subscribe('a', () => {
      throw new Error('of a subscriber')
    })
    spoke.subscribe('a', (events) => heard.push(...events))
    spoke.watch(() => {
      throw new Error('of a watcher')
    })
    await live()
    publish({})
    publish({})
    expect(heard).toHaveLength(2)
    expect(reported).toContainEqual(new Error('of onError'))
  })

  test('may be asynchronous, and reject', async () => {
    const { spoke, publish, errors, live } = given()
    spoke.subscribe('a', async () => {
      throw new Error('of a subscriber')
    })
    spoke.on('a', 't', async () => {
      throw new Error('of a listener')
    })
    await live()
    publish({})
    await vi.waitUntil(() => errors.length === 2)
    expect(errors).toEqual([new Error('of a subscriber'), new Error('of a listener')])
  })

  test('may change the filters it has given', async () => {
    const { spoke, publish, live } = given()
    const filters = ['a']
    const heard: unknown[] = []
    spoke.subscribe(filters, (events) => heard.push(...events))
    filters[0] = 'b'
    await live()
    publish({})
    expect(heard).toHaveLength(1)
  })
})

test.each(['constructor', '__proto__'])('an event may be of type %s', async (type) => {
  const { spoke, publish, errors, live } = given()
  const heard: unknown[] = []
  spoke.subscribe('a', (events) => heard.push(...events.map((event) => event.type)))
  await live()
  publish({ type })
  expect(heard).toEqual([type])
  expect(errors).toEqual([])
})
