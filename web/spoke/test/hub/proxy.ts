import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What a proxy does: hand on; keep streams back until they end, as nginx does by
 * default; swallow what the hub sends; refuse; answer for itself, that it is busy, or
 * with a page for people, as networks do that want a log-in (a portal).
 */
export type Mode = 'pass' | 'buffer' | 'swallow' | 'refuse' | 'busy' | 'portal'

const answers: Partial<Record<Mode, string>> = {
  busy: answer(
    '503 Service Unavailable\r\nRetry-After: 7\r\nAccess-Control-Expose-Headers: Retry-After\r\nContent-Type: application/problem+json',
    '{"status":503,"code":"overloaded","detail":"too much to do"}',
  ),
  portal: answer('200 OK\r\nContent-Type: text/html', '<h1>Welcome to our network</h1>'),
}

function answer(head: string, body: string): string {
  return `HTTP/1.1 ${head}\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** A proxy between browser and hub that can go wrong in the ways in which they do. */
export class Proxy {
  mode: Mode = 'pass'
  /** By how many milliseconds answers come late. */
  late = { streams: 0, pages: 0 }
  /** How many requests for streams there were. */
  streams = 0
  /** How many requests there were in all, and when those for streams came, in milliseconds of Date.now. */
  requests = 0
  streamsAt: number[] = []
  /** Ends every stream in good order after so many milliseconds. */
  lastsMs: number | undefined
  /** Cuts every stream with a reset, so many bytes after its beginning. */
  cutEach: (() => number) | undefined
  readonly #server: Server
  readonly #pairs = new Set<{ client: Socket; hub: Socket }>()
  #cutAfter: { bytes: number; pattern: string } | undefined

  private constructor(target: number) {
    this.#server = createServer((client) => this.#accept(client, target))
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is not up')
    return `http://127.0.0.1:${address.port}`
  }

  /** Cuts all connections, as a network does: with a reset, wherever they are. */
  cut(): void {
    for (const { client, hub } of this.#pairs) {
      client.resetAndDestroy()
      hub.destroy()
    }
    this.#pairs.clear()
  }

  /** Cuts the next connection over which a text comes, so many bytes after its beginning. */
  cutWithin(pattern: string, bytes: number): void {
    this.#cutAfter = { pattern, bytes }
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket, target: number): void {
    if (this.mode === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const hub = connect(target, '127.0.0.1')
    const pair = { client, hub }
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      client.destroy()
      hub.destroy()
    }
    const held: Buffer[] = []
    let late = 0
    let left = Number.POSITIVE_INFINITY
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      this.requests += text.match(/^(GET|POST) /gm)?.length ?? 0
      const streams = text.match(/^accept: text\/event-stream/gim)?.length ?? 0
      this.streams += streams
      if (streams > 0) this.streamsAt.push(Date.now())
      const own = answers[this.mode]
      if (own !== undefined) {
        client.write(own)
        return
      }
      late = streams > 0 ? this.late.streams : this.late.pages
      hub.write(chunk)
    })
    hub.on('data', (chunk) => {
      if (this.mode === 'swallow') return
      const begins = chunk.includes('text/event-stream')
      if (begins && this.lastsMs !== undefined) setTimeout(() => client.end(), this.lastsMs)
      if (begins && this.cutEach) left = this.cutEach()
      if (left < chunk.length) {
        client.write(chunk.subarray(0, left), () => client.resetAndDestroy())
        left = 0
        return
      }
      left -= chunk.length
      if (held.length > 0 || (this.mode === 'buffer' && begins)) held.push(chunk)
      else if (late > 0) setTimeout(() => client.write(chunk), late)
      else this.#forward(chunk, client, end)
    })
    hub.on('end', () => {
      client.end(Buffer.concat(held))
    })
    for (const socket of [client, hub]) socket.on('error', end).on('close', end)
  }

  #forward(chunk: Buffer, client: Socket, end: () => void): void {
    const at = this.#cutAfter ? chunk.indexOf(this.#cutAfter.pattern) : -1
    if (this.#cutAfter === undefined || at < 0) {
      client.write(chunk)
      return
    }
    client.write(chunk.subarray(0, at + this.#cutAfter.bytes), end)
    this.#cutAfter = undefined
  }
}
