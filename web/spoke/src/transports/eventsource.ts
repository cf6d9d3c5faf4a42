import type { Http } from '../http.js'
import { errorOf, failureOf, failureOfThrown } from '../problem.js'
import { parametersOf, type StreamSink, type StreamTransport, type Wish } from './transport.js'

const hubTypes = ['hub.sync', 'hub.heartbeat', 'hub.level', 'hub.auth', 'hub.bye', 'hub.presence']

/**
 * A stream over the browser's EventSource, which can send no headers and hears no
 * status: if there is a token it is changed for a ticket, which the URL carries.
 *
 * It hears the types that have a schema and those that are listed, and no others.
 */
export function eventSource(options: { readonly types?: readonly string[] } = {}): StreamTransport {
  return {
    name: 'eventsource',
    open(http, wish, sink) {
      let source: EventSource | undefined
      let closed = false
      const close = () => {
        closed = true
        source?.close()
      }
      address(http, wish)
        .then((url) => {
          if (closed) return
          sink.sent()
          source = new EventSource(url, { withCredentials: http.credentials === 'include' })
          listen(source, [...hubTypes, ...wish.types, ...(options.types ?? [])], sink)
          source.onerror = () => {
            if (closed) return
            close() // it would come back by itself, with a ticket that is used up
            sink.ended({ kind: 'network', message: 'the EventSource has failed, and does not say why' })
          }
        })
        .catch((thrown: unknown) => {
          if (!closed) sink.ended(failureOfThrown(thrown))
        })
      return close
    },
  }
}

function listen(source: EventSource, types: readonly string[], sink: StreamSink): void {
  for (const type of new Set(types)) {
    source.addEventListener(type, (event: MessageEvent<string>) => {
      sink.heard()
      sink.message({ event: type, data: event.data, id: event.lastEventId })
    })
  }
}

async function address(http: Http, wish: Wish): Promise<string> {
  const parameters = parametersOf(wish)
  if ((await http.tokens.get()) !== undefined) {
    const response = await http.send(http.url('tickets'), { method: 'POST' })
    if (!response.ok) {
      const failure = await failureOf(response)
      throw failure.kind === 'refused' ? errorOf(failure.problem) : new Error('there is no ticket to be had')
    }
    const { ticket } = (await response.json()) as { ticket: string }
    parameters.push(['ticket', ticket])
  }
  return http.url('events', parameters)
}
