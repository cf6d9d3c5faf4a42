import { createParser } from 'eventsource-parser'
import { isType } from '../http.js'
import { type Failure, failureOf, failureOfThrown } from '../problem.js'
import { parametersOf, type StreamSink, type StreamTransport } from './transport.js'

/** No event of a hub is larger: more is not kept. */
const mostBytes = 16 << 20

/** A stream over fetch: it has headers, hears statuses, and needs no list of types. */
export function fetchStream(): StreamTransport {
  return {
    name: 'fetch',
    open(http, wish, sink) {
      const closing = new AbortController()
      const { signal } = closing
      const url = http.url('events', parametersOf(wish))
      http
        .send(url, { accept: 'text/event-stream', signal, sent: () => sink.sent() })
        .then((response) => read(response, sink, signal))
        .catch(failureOfThrown)
        .then((failure) => {
          if (signal.aborted) return
          closing.abort() // what is left of the body is of no use
          sink.ended(failure)
        })
      return () => closing.abort()
    },
  }
}

async function read(response: Response, sink: StreamSink, signal: AbortSignal): Promise<Failure> {
  if (!response.ok || !isType(response, 'text/event-stream') || response.body === null) return failureOf(response)
  let tooLarge = false
  const parser = createParser({
    onEvent: (event) => sink.message(event),
    onRetry: (ms) => sink.retry(ms),
    onError: (error) => {
      tooLarge ||= error.type === 'max-buffer-size-exceeded'
    },
    maxBufferSize: mostBytes,
  })
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true }) // the parser takes the first away
  const reader = response.body.getReader()
  // One read is always pending: some browsers hold back what arrives when none is.
  for (let next = reader.read(); ; ) {
    const { done, value } = await next
    if (done) return { kind: 'ended' }
    if (signal.aborted) return { kind: 'ended' }
    next = reader.read()
    next.catch(() => {}) // it is awaited unless parsing throws
    sink.heard()
    parser.feed(decoder.decode(value, { stream: true }))
    if (tooLarge) return { kind: 'network', message: `an event is larger than ${mostBytes} bytes` }
  }
}
