import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Somebody's HTTP without a browser: signed in, with a cache for what has an ETag, and counted. */
export class Client {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 6 })
  readonly #cache = new Map<string, Answer & { readonly etag: string }>()
  readonly #sockets = new Set<Socket>()
  #gone = 0
  #cookie = ''
  requests = 0

  private constructor(url: string) {
    this.#url = new URL(url)
  }

  static async signIn(url: string, user: string): Promise<Client> {
    const client = new Client(url)
    const { status, headers } = await client.call('POST', '/api/sign-in', { user })
    const cookie = headers['set-cookie']?.[0]?.split(';')[0]
    if (status !== 200 || cookie === undefined) throw new Error(`sign in as ${user}: ${status}`)
    client.#cookie = cookie
    return client
  }

  get received(): number {
    return [...this.#sockets].reduce((sum, socket) => sum + socket.bytesRead, this.#gone)
  }

  /** Asks for a document as a browser does: what has not changed is not sent again. */
  async get(path: string): Promise<string> {
    const cached = this.#cache.get(path)
    const answer = await this.call('GET', path, undefined, cached && { 'If-None-Match': cached.etag })
    if (answer.status === 304 && cached) return cached.text
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`)
    const { etag } = answer.headers
    if (etag) this.#cache.set(path, { ...answer, etag })
    return answer.text
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.open(method, path, body, headers)
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return { status: response.statusCode ?? 0, headers: response.headers, text }
  }

  /** Resolves with the head of the answer. */
  open(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    this.requests++
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.#url),
        {
          method,
          agent: this.#agent,
          headers: {
            Cookie: this.#cookie,
            ...(body !== undefined && { 'Content-Type': 'application/json' }),
            ...headers,
          },
        },
        resolve,
      )
      sent.on('socket', (socket) => this.#watch(socket))
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  close(): void {
    this.#agent.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #watch(socket: Socket): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#gone += socket.bytesRead
    })
  }
}
