import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { answered, asked, heard, spare, streams } from '../../src/costs.js'
import { Meter, meter } from '../../src/meter.js'
import { pageFetch } from '../../src/network.js'

const document = 'x'.repeat(5_000)
const real = fetch
let server: Server
let url: string
let more: (text: string) => void = () => {}

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume()
    if (request.url !== '/stream') return void response.end(document)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.flushHeaders()
    more = (text) => response.write(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Lets a mode settle, so that it is charged. */
function charge(charged: Meter, mode: 'live' | 'polling'): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  charged.charge(mode)
  vi.advanceTimersByTime(5_000)
  vi.useRealTimers()
}

function costs() {
  const { requests, bytes } = meter.tallies.live
  return { requests, bytes }
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  asked(url + path, init)
  return answered(await fetch(url + path, init))
}

beforeEach(() => charge(meter, 'live'))

test('a request costs what it sends, and its answer the head that it has and its body', async () => {
  const before = costs()
  const response = await ask('/', { method: 'POST', body: 'é'.repeat(100) })
  const head = costs().bytes - before.bytes - 200
  expect(head).toBeGreaterThan(80)
  expect(head).toBeLessThan(300)
  await response.text()
  await expect.poll(() => costs().bytes - before.bytes).toBe(200 + head + document.length)
  expect(costs().requests).toBe(before.requests + 1)
  expect(performance.now() - heard.value).toBeLessThan(60_000)
})

test('a stream costs what has come of it, as it comes, and nothing again when it ends', async () => {
  const end = new AbortController()
  const response = await ask('/stream', { signal: end.signal })
  expect(streams.value).toBe(1)
  const before = costs().bytes
  const reader = response.body?.getReader()
  for (const text of ['a'.repeat(700), 'b'.repeat(300)]) {
    more(text)
    await reader?.read()
  }
  expect(costs().bytes - before).toBe(1_000)
  await reader?.cancel()
  end.abort()
  expect(streams.value).toBe(0)
  // What is asked afterwards has been observed after it.
  await (await ask('/')).text()
  await expect.poll(() => costs().bytes - before).toBeGreaterThan(1_000 + document.length)
  expect(costs().bytes - before).toBeLessThan(1_300 + document.length)
})

test('what is spared costs nothing', async () => {
  const before = costs().bytes
  spare(`${url}/free`)
  await (await fetch(`${url}/free`)).text()
  await (await ask('/')).text()
  await expect.poll(() => costs().bytes - before).toBeGreaterThan(document.length)
  expect(costs().bytes - before).toBeLessThan(300 + document.length)
})

test('trouble is no mode’s cost', async () => {
  vi.stubGlobal('location', { href: `${url}/` })
  vi.stubGlobal('fetch', async (path: string) => real(new URL(path, url)))
  const costOf = async (...paths: string[]) => {
    const before = costs()
    for (const path of paths) await (await pageFetch(path, { method: 'POST', body: '{"ms":800}' })).text()
    await expect.poll(() => costs().bytes - before.bytes).toBeGreaterThan(document.length)
    return { requests: costs().requests - before.requests, bytes: costs().bytes - before.bytes }
  }
  expect(await costOf('/api/trouble/slow', '/api/users')).toEqual(await costOf('/api/users'))
  vi.unstubAllGlobals()
})

test('each mode has its own costs, from when it has settled', () => {
  const own = new Meter()
  own.charge('polling')
  own.request(10)
  expect(own.tallies.polling.requests).toBe(0)
  charge(own, 'polling')
  own.request(10)
  own.bytes(5)
  charge(own, 'live')
  own.request(1)
  own.request(1)
  expect(own.tallies.polling).toMatchObject({ requests: 1, bytes: 15 })
  expect(own.tallies.live).toMatchObject({ requests: 2, bytes: 2 })
})

test('what was counted can be forgotten, and the mode goes on being charged', () => {
  const own = new Meter()
  charge(own, 'live')
  own.request(10)
  own.anew()
  expect(own.tallies.live).toMatchObject({ requests: 0, bytes: 0 })
  own.request(3)
  expect(own.tallies.live).toMatchObject({ requests: 1, bytes: 3 })
  expect(own.tallies.live.ms).toBeGreaterThan(0)
  expect(own.tallies.polling.ms).toBe(0)
})
