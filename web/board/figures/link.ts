import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A wire to the board that counts what goes through it: heads, bodies, everything of HTTP. */
export class Link {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  sent = 0
  received = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async to(url: string): Promise<Link> {
    const { hostname, port } = new URL(url)
    const link = new Link(createServer((near) => link.#join(near, connect(Number(port), hostname))))
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo // it listens at a port, not at a pipe
    return `http://127.0.0.1:${port}`
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(near: Socket, far: Socket): void {
    near.on('data', (chunk) => {
      this.sent += chunk.length
    })
    far.on('data', (chunk) => {
      this.received += chunk.length
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.setNoDelay(true)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        other.destroy()
        this.#sockets.delete(one)
      })
    }
  }
}
