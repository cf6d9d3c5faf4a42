import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Message } from '../../src/frames.js'
import { Http } from '../../src/http.js'
import { Tokens } from '../../src/tokens.js'
import { fetchStream } from '../../src/transports/stream.js'

interface Example {
  name: string
  stream: string
  events: Message[]
}

const { examples }: { examples: Example[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../sse/testdata/whatwg.json'), 'utf8'),
)

/** What the spoke hears of a stream that comes in these pieces. */
function heard(pieces: Uint8Array<ArrayBuffer>[]): Promise<Message[]> {
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift()
      if (piece) controller.enqueue(piece)
      else controller.close()
    },
  })
  const fetch = async () => new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  const http = new Http('http://nowhere', new Tokens(undefined), fetch, undefined)
  const messages: Message[] = []
  return new Promise((resolve) => {
    fetchStream().open(
      http,
      { filters: ['a'], cursor: undefined, types: [] },
      {
        sent() {},
        heard() {},
        retry() {},
        message: (message) => messages.push(message),
        ended: () => resolve(messages),
      },
    )
  })
}

// As the hub's reader does: with every line end and with a byte order mark, cut at every byte.
test.each(examples)("the standard's example $name", async ({ stream, events }) => {
  for (const end of ['\n', '\r', '\r\n']) {
    for (const mark of ['', '\uFEFF']) {
      const bytes = new TextEncoder().encode(mark + stream.replaceAll('\n', end))
      for (let at = 0; at <= bytes.length; at++) {
        const got = await heard([bytes.slice(0, at), bytes.slice(at)])
        const how = JSON.stringify({ end, mark, at })
        expect({ how, events: got.map(({ event, data, id }) => ({ event, data, id })) }).toEqual({ how, events })
      }
    }
  }
})
