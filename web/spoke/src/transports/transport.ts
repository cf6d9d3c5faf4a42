import { seenOn } from '../filter.js'
import type { Message } from '../frames.js'
import type { Http } from '../http.js'
import type { Failure } from '../problem.js'

/** What a stream or a page is asked for. */
export interface Wish {
  readonly filters: readonly string[]
  readonly cursor: string | undefined
  /** Types with a schema: an EventSource has to know what it is to hear. */
  readonly types: readonly string[]
}

/** Who hears of a stream. After `ended` it hears nothing more. */
export interface StreamSink {
  /** The request leaves. */
  sent(): void
  /** Something has arrived, whatever it is. */
  heard(): void
  message(message: Message): void
  retry(ms: number): void
  ended(failure: Failure): void
}

/** A way in which a stream can be had. */
export interface StreamTransport {
  readonly name: string
  /** Opens a stream, and returns what closes it: then the sink hears nothing more. */
  open(http: Http, wish: Wish, sink: StreamSink): () => void
}

/** What is common to streams and pages. */
export function parametersOf(wish: Wish): [string, string][] {
  const parameters = wish.filters.map((filter): [string, string] =>
    filter.startsWith(seenOn) ? ['presence', filter.slice(seenOn.length)] : ['topic', filter],
  )
  // There has to be a topic. Who may be seen on one may follow it.
  const [first] = parameters
  if (first && parameters.every(([name]) => name !== 'topic')) parameters.push(['topic', first[1]])
  if (wish.cursor !== undefined) parameters.push(['cursor', wish.cursor])
  return parameters
}
