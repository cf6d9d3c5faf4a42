import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { inject } from 'vitest'

/** What is wrong with a proxy; see tests/proxy, which is the proxy. */
export interface Faults {
  /**
   * Keep streams back until they end; swallow what the hub sends; refuse; or answer: that
   * it is busy, that it has failed, or with a page for people, as networks do that want a log-in.
   */
  readonly mode?: 'hold' | 'swallow' | 'refuse' | 'busy' | 'fail' | 'portal'
  /** By how many milliseconds answers come late. */
  readonly lateStreams?: number
  readonly latePages?: number
  /** Ends every stream in good order after so many milliseconds. */
  readonly lastsMs?: number
  /** Cuts every stream with a reset, by chance within so many bytes after its beginning. */
  readonly cutEach?: number
  /** Cuts the next connection over which a text comes, so many bytes after its beginning. */
  readonly cutAfter?: { readonly text: string; readonly bytes: number }
}

/** What has come to a proxy. */
export interface Seen {
  readonly requests: number
  readonly streams: number
  /** When streams were asked for, in milliseconds of Date.now. */
  readonly streamsAt: readonly number[]
}

/** A proxy between browser and hub that can go wrong in the ways in which they do. */
export class FaultyProxy {
  readonly url: string
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  #last: Promise<unknown> = Promise.resolve()

  private constructor(
    url: string,
    process: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
  ) {
    this.url = url
    this.#process = process
    this.#lines = lines
  }

  static async start(target: number): Promise<FaultyProxy> {
    const process = spawn(inject('proxy'), ['-to', `127.0.0.1:${target}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface(process.stdout)[Symbol.asyncIterator]()
    return new FaultyProxy(JSON.parse(await next(lines)), process, lines)
  }

  /** Says what is wrong from now on, all of it; nothing is, without. */
  set(faults: Faults = {}): Promise<Seen> {
    return this.#order({ set: faults })
  }

  /** Cuts all connections, as a network does: wherever they are, half of them with a reset. */
  cut(): Promise<Seen> {
    return this.#order({ cut: true })
  }

  seen(): Promise<Seen> {
    return this.#order({})
  }

  async stop(): Promise<void> {
    this.#process.stdin.end()
    await once(this.#process, 'exit')
  }

  /** One after the other, for answers have no names. */
  #order(order: { set?: Faults; cut?: boolean }): Promise<Seen> {
    const answer = this.#last.then(async () => {
      this.#process.stdin.write(`${JSON.stringify(order)}\n`)
      return JSON.parse(await next(this.#lines))
    })
    this.#last = answer.catch(() => {})
    return answer
  }
}

async function next(lines: AsyncIterator<string>): Promise<string> {
  const { done, value } = await lines.next()
  if (done) throw new Error('the proxy has ended')
  return value
}
