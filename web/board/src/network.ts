// The network as this page has it: every request goes through pageFetch, which counts
// it, learns the server's time from it, and fails while the trouble corner says so.
import { Clock } from './clock.js'
import { meter } from './meter.js'
import { Store } from './store.js'

/** Whether the trouble corner lets requests through. */
export const online: Store<boolean> = new Store(true)
/** How many streams of the hub this tab has open: the tab that leads has one. */
export const streams: Store<number> = new Store(0)
/** When the server was last heard, by performance.now. */
export const heard: Store<number> = new Store(0)
export const clock: Clock = new Clock()

/** All tabs of this browser go offline together, as with a cable. */
const cable = new BroadcastChannel('board cable')
cable.onmessage = ({ data }) => {
  if (data !== 'how is it?') plug(data === true)
  else if (!online.value) cable.postMessage(false)
}
cable.postMessage('how is it?')

/** What streams have cost is counted as it comes, and not again when they end. */
const counted = new Set<string>()
const mostCounted = 50
let cut = new AbortController()

export async function pageFetch(url: string, init: RequestInit = {}): Promise<Response> {
  if (!online.value) throw new TypeError('the network is switched off in the trouble corner')
  meter.request(typeof init.body === 'string' ? init.body.length : 0)
  const sent = Date.now()
  const signal = init.signal ? AbortSignal.any([cut.signal, init.signal]) : cut.signal
  const response = await fetch(url, { ...init, signal })
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (Number.isFinite(date)) clock.learn(date, sent, Date.now())
  heard.set(performance.now())
  const isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream')
  return isStream && response.body ? watched(response, response.body) : response
}

/** Finds the server's time out, at no mode's cost. */
export function settleClock(): Promise<void> {
  const url = new URL('/?clock', location.href).href
  counted.add(url)
  return clock.settle(async () => {
    const sent = Date.now()
    const response = await fetch(url, { method: 'HEAD', cache: 'no-store' })
    const date = Date.parse(response.headers.get('Date') ?? '')
    if (Number.isFinite(date)) clock.learn(date, sent, Date.now())
  })
}

/** Pulls the plug, or puts it in again: for all tabs of this browser. */
export function switchNetwork(on: boolean): void {
  cable.postMessage(on)
  plug(on)
}

function plug(on: boolean): void {
  if (on === online.value) return
  online.set(on)
  if (!on) cut.abort(new TypeError('the network was switched off in the trouble corner'))
  else cut = new AbortController()
  window.dispatchEvent(new Event(on ? 'online' : 'offline'))
}

/** The stream, with its bytes counted as they come. */
function watched(response: Response, body: ReadableStream<Uint8Array>): Response {
  counted.add(response.url)
  for (const first of counted) if (counted.size > mostCounted) counted.delete(first)
  const reader = body.getReader()
  let open = true
  const end = () => {
    if (open) streams.set(streams.value - 1)
    open = false
  }
  streams.set(streams.value + 1)
  const passing = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) {
          end()
          return controller.close()
        }
        meter.bytes(value.byteLength)
        heard.set(performance.now())
        controller.enqueue(value)
      } catch (error) {
        end()
        controller.error(error)
      }
    },
    cancel(reason) {
      end()
      return reader.cancel(reason)
    },
  })
  return new Response(passing, { status: response.status, headers: response.headers })
}

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!(entry instanceof PerformanceResourceTiming) || counted.has(entry.name)) continue
    if (entry.initiatorType === 'fetch' || entry.initiatorType === 'beacon') meter.bytes(entry.transferSize)
  }
  performance.clearResourceTimings()
}).observe({ type: 'resource' })
