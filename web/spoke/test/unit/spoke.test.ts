import { afterEach, describe, expect, test, vi } from 'vitest'
import { createSpoke, type EventMap, type SpokeOptions } from '../../src/index.js'
import type { StreamSink, StreamTransport } from '../../src/transports/transport.js'
import type { WireEvent } from '../../src/wire.js'

/** A spoke whose stream says what it is told to. */
function streamed(options: Partial<SpokeOptions<EventMap>> = {}) {
  const streams: StreamSink[] = []
  const transport: StreamTransport = {
    name: 'test',
    open(_http, { cursor }, sink) {
      streams.push(sink)
      queueMicrotask(() => {
        sink.sent()
        say('hub.sync', { status: cursor ? 'recovered' : 'live', cursor: cursor ?? 'k-0' }, cursor ?? 'k-0')
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
  return { spoke, streams, publish, errors, live: () => vi.waitUntil(() => spoke.state.name === 'live') }
}

const made: { close(): void }[] = []
afterEach(() => {
  for (const each of made.splice(0)) each.close()
  vi.restoreAllMocks()
  vi.useRealTimers()
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

/** What a hub grants: it answers with a page, or refuses. */
function hubOf(refuses: (topics: readonly string[], path: string) => { status: number; code: string } | undefined) {
  const asked: string[][] = []
  const fetch = async (url: string, init: RequestInit) => {
    const { pathname, searchParams } = new URL(url)
    const topics = searchParams.getAll('topic')
    asked.push(topics)
    const problem = refuses(topics, pathname)
    if (problem) {
      const headers = { 'Content-Type': 'application/problem+json' }
      return new Response(JSON.stringify({ ...problem, detail: topics.join() }), { status: problem.status, headers })
    }
    const page = { cursor: 'k-0', sync: { status: 'live', cursor: 'k-0' }, level: 'normal', events: [] }
    if (new Headers(init.headers).get('Accept') === 'application/json') return Response.json(page)
    const sync = `event: hub.sync\ndata: ${JSON.stringify(page.sync)}\nid: k-0\n\n`
    const body = new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode(sync)) })
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  }
  const errors: unknown[] = []
  const spoke = createSpoke({ url: 'http://nowhere', fetch, onError: (error) => errors.push(error) })
  made.push(spoke)
  const refused: string[] = []
  const follow = (topic: string) =>
    spoke.subscribe(topic, { events() {}, refused: (error) => refused.push(`${topic} ${error.code}`) })
  return {
    spoke,
    asked,
    refused,
    errors,
    follow,
    until: (name: string) => vi.waitUntil(() => spoke.state.name === name),
  }
}

describe('a refusal', () => {
  const noHubs = (topics: readonly string[]) =>
    topics.some((topic) => topic.startsWith('$')) ? { status: 401, code: 'unauthorised' } : undefined

  test('without a token is that of the filter, not of the others', async () => {
    const { refused, follow, until } = hubOf(noHubs)
    follow('good/1')
    follow('$hub/health')
    await until('live')
    expect(refused).toEqual(['$hub/health unauthorised'])
  })

  test('without a token of all waits for one to sign in, or for other filters', async () => {
    const { spoke, refused, follow, until } = hubOf(noHubs)
    follow('$hub/health')
    await until('unauthorised')
    follow('good/1')
    await until('live')
    expect(refused).toEqual(['$hub/health unauthorised'])
    expect(spoke.state.name).toBe('live')
  })

  test('of some of many is found with few requests', async () => {
    const bad = new Set(['t/3', 't/77'])
    const { asked, refused, follow, until } = hubOf((topics) =>
      topics.some((topic) => bad.has(topic)) ? { status: 403, code: 'forbidden' } : undefined,
    )
    for (let i = 0; i < 100; i++) follow(`t/${i}`)
    await until('live')
    expect(refused).toEqual(['t/3 forbidden', 't/77 forbidden'])
    expect(asked.length).toBeLessThan(35)
  })

  test('of too many is that of the last, all at once', async () => {
    const { asked, refused, follow, until } = hubOf((topics) =>
      topics.length > 100 ? { status: 422, code: 'too-many' } : undefined,
    )
    for (let i = 0; i < 301; i++) follow(`t/${i}`)
    await until('live')
    expect(refused).toEqual(Array.from({ length: 201 }, (_, i) => `t/${100 + i} too-many`))
    expect(asked.length).toBeLessThan(15)
  })

  test('of half a character is that of its filter', async () => {
    const { refused, follow, until } = hubOf(() => undefined)
    follow('good/1')
    follow('a/\ud800')
    await until('live')
    expect(refused).toEqual(['a/\ud800 invalid'])
  })
})

test('a closed spoke says that it is', async () => {
  const { spoke, refused, follow, asked } = hubOf(() => undefined)
  spoke.close()
  follow('a')
  await expect(spoke.publish({ topic: 'a', type: 't' })).rejects.toThrow('the spoke is closed')
  await expect(spoke.batch([{ topic: 'a', type: 't' }])).rejects.toThrow('the spoke is closed')
  expect(refused).toEqual(['a closed'])
  expect(asked).toEqual([])
})

test('options that can never work are refused at once', () => {
  const wrong = (options: object) => () => createSpoke({ url: 'http://nowhere', ...options })
  expect(wrong({ token: 'abc' })).toThrow('token is not a function')
  expect(wrong({ url: 'ftp://hub' })).toThrow('https://')
  expect(wrong({ url: 'localhost:8080' })).toThrow('https://')
  for (const url of ['', '/hub', 'https://hub', '//hub']) expect(wrong({ url })).not.toThrow()
})

test('a warning says why', async () => {
  const { spoke, errors, live } = given({ fetch: async () => Promise.reject(new Error('no way')) })
  spoke.subscribe('a', { events() {} }, { snapshot: true })
  await live()
  await vi.waitUntil(() => errors.length > 0)
  expect(String(errors[0])).toContain('no way')
})

describe('who subscribes', () => {
  test('is told when it may fetch, also who joins a connection that has begun, but not who goes on from a cursor', async () => {
    const { spoke, live } = given()
    const begun: string[] = []
    const follow = (name: string, options = {}) =>
      spoke.subscribe(name, { events() {}, begun: () => begun.push(name) }, options)
    follow('first')
    expect(begun).toEqual([])
    await live()
    expect(begun).toEqual(['first'])
    follow('joining')
    follow('gone at once')()
    follow('going on', { cursor: 'k-0' })
    await live()
    await Promise.resolve()
    expect(begun).toEqual(['first', 'joining'])
  })

  test('with a snapshot that is refused is refused', async () => {
    const { refused, spoke, asked } = hubOf((_, path) =>
      path === '/v1/state' ? { status: 403, code: 'forbidden' } : undefined,
    )
    const error = new Promise((resolve) => spoke.subscribe('a', { events() {}, refused: resolve }, { snapshot: true }))
    expect(await error).toMatchObject({ code: 'forbidden' })
    expect(refused).toEqual([])
    expect(asked).toHaveLength(2)
  })
})

describe('what never answers', () => {
  /** As fetch does: it ends when it is called off. */
  const never = (_: string, { signal }: RequestInit) =>
    new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

  test('is not waited for longer than one has patience', async () => {
    const { spoke } = given({ fetch: never })
    await expect(spoke.publish({ topic: 'a', type: 't' }, { patienceMs: 50 })).rejects.toThrow('cannot be reached')
  })

  test('is asked again', async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal)
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 1_000))
    const { spoke, errors, live } = given({ fetch: never })
    spoke.subscribe('a', { events() {} }, { snapshot: true })
    await live()
    await vi.waitUntil(() => errors.length === 2, 5_000)
  })
})

test('a stream that is dead is noticed, also when the clock was set back', async () => {
  vi.useFakeTimers()
  const { spoke, streams } = given()
  spoke.subscribe('a', { events() {} })
  await vi.advanceTimersByTimeAsync(0)
  expect(spoke.state.name).toBe('live')
  vi.setSystemTime(Date.now() - 3_600_000)
  await vi.advanceTimersByTimeAsync(90_000)
  expect(streams.length).toBeGreaterThan(1)
})

test('what is published needs no trace', async () => {
  const { spoke, errors } = given({
    fetch: async () => Response.json({ events: [] }),
    traceparent: () => {
      throw new Error('of the trace')
    },
  })
  await spoke.publish({ topic: 'a', type: 't' })
  expect(errors).toEqual([new Error('of the trace')])
})
