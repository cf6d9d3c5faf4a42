// What the page's requests cost: what they send and what comes back, streams as they come.
import { meter } from './meter.js'
import { Store } from './store.js'

/** How many streams of the hub this tab has open: the tab that leads has one. */
export const streams: Store<number> = new Store(0)
/** When the server was last heard, by performance.now. */
export const heard: Store<number> = new Store(0)

/** When this tab last asked for events itself: the tab that leads does. */
export const askedForEvents: Store<number> = new Store(Number.NEGATIVE_INFINITY)

/** What costs nothing, or has been counted as it came. */
const free = new Set<string>()
const mostFree = 50

/** Requests to this address are nobody's cost. */
export function spare(url: string): void {
  free.delete(url)
  free.add(url)
  for (const first of free) if (free.size > mostFree) free.delete(first)
}

/** A request is made. What headers it has no page can know. */
export function asked(url: string, { method = 'GET', body }: RequestInit): void {
  if (method === 'GET' && /\/v1\/events(\?|$)/.test(url)) askedForEvents.set(performance.now())
  meter.request(typeof body === 'string' ? new TextEncoder().encode(body).byteLength : 0)
}

/** The head of an answer has come. Returns the answer, with its bytes counted if it is a stream. */
export function answered(response: Response): Response {
  heard.set(performance.now())
  meter.bytes(headBytes(response))
  const isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream')
  return isStream && response.body ? watched(response, response.body) : response
}

/** As long as HTTP/1.1 has it. */
function headBytes({ status, statusText, headers }: Response): number {
  let bytes = `HTTP/1.1 ${status} ${statusText}\r\n\r\n`.length
  for (const [name, value] of headers) bytes += name.length + value.length + 4
  return bytes
}

/** The stream, with its bytes counted as they come. */
function watched(response: Response, body: ReadableStream<Uint8Array>): Response {
  spare(response.url)
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

/** By how much browsers say that a transfer is larger than its body: a number made up for all headers. */
const saidOfHeaders = 300

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!(entry instanceof PerformanceResourceTiming) || free.has(entry.name)) continue
    if (entry.initiatorType === 'fetch' || entry.initiatorType === 'beacon')
      meter.bytes(Math.max(0, entry.transferSize - saidOfHeaders))
  }
  performance.clearResourceTimings()
}).observe({ type: 'resource' })
