import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Built {
  /** The program. */
  readonly program: string
  /** The folder of the page. */
  readonly page: string
}

/** What a process has used, and uses. */
export interface Usage {
  /** When this was read, in milliseconds of performance.now. */
  readonly at: number
  /** Time of processors since its start, in milliseconds. */
  readonly cpuMs: number
  /** Resident memory, in bytes. */
  readonly rss: number
  /** What was alive in the heap when garbage was collected last, in bytes; 0 before. */
  readonly heap: number
}

/** Processor time of Linux is told in hundredths of a second, wherever it runs. */
const tickMs = 10

/** The real program, with data of its own, which tells of its memory. */
export class Program {
  readonly url: string
  readonly #process: ChildProcess
  readonly #data: string
  #heap = 0
  #idle = false
  #collected: (() => void)[] = []

  private constructor(url: string, process: ChildProcess, data: string) {
    this.url = url
    this.#process = process
    this.#data = data
  }

  static async start({ program, page }: Built, hub: boolean): Promise<Program> {
    const data = mkdtempSync(join(tmpdir(), 'nave-figures-'))
    const started = spawn(program, ['-listen', '127.0.0.1:0', '-web', page, '-data', data, `-alone=${!hub}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, GODEBUG: 'gctrace=1' },
    })
    const says = createInterface({ input: started.stderr })
    const url = await addressOf(started)
    const made = new Program(url, started, data)
    says.on('line', (line) => made.#hear(line))
    return made
  }

  get usage(): Usage {
    const about = `/proc/${this.#process.pid}`
    // The name in brackets may have spaces; the third field follows it.
    const fields = readFileSync(`${about}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const ticks = Number(fields[11]) + Number(fields[12])
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`${about}/status`, 'utf8'))?.[1])
    return { at: performance.now(), cpuMs: ticks * tickMs, rss: rss * 1024, heap: this.#heap }
  }

  /** Waits until the runtime has collected garbage for want of anything else to do: it does every two minutes. */
  idleCollection(): Promise<void> {
    return new Promise((resolve) => this.#collected.push(resolve))
  }

  async close(): Promise<void> {
    this.#process.kill('SIGTERM')
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
    rmSync(this.#data, { recursive: true })
  }

  #hear(line: string): void {
    if (line === 'GC forced') {
      this.#idle = true // what it has found, the next line says
      return
    }
    const found = /^gc \d+ @.*->(\d+) MB, /.exec(line)
    if (found === null) {
      console.error(`board: ${line}`)
      return
    }
    this.#heap = Number(found[1]) * 1024 * 1024
    if (!this.#idle) return
    this.#idle = false
    for (const resolve of this.#collected.splice(0)) resolve()
  }
}

async function addressOf(program: ChildProcess): Promise<string> {
  let said = ''
  for await (const chunk of program.stdout ?? []) {
    said += String(chunk)
    const found = /The board is at (\S+?),/.exec(said)?.[1]
    if (found) {
      program.stdout?.resume() // what else it says must not fill the pipe
      return found
    }
  }
  throw new Error(`the board does not come up: ${said}`)
}
