import { HubError } from './problem.js'

/** Why a token is asked for: there is none yet, the one there is will end, or was refused. */
export type TokenReason = 'first' | 'expiring' | 'refused'

/** Gives a token. Nothing means that nobody is signed in, and is never taken for anonymous. */
export type TokenSource = (why: TokenReason) => Promise<string | null | undefined> | string | null | undefined

const patienceMs = 30_000

/** Tokens keeps one token, and asks for the next once however many need it. */
export class Tokens {
  readonly #source: TokenSource | undefined
  #token: string | undefined
  #pending: Promise<string> | undefined
  #why: TokenReason = 'first'

  constructor(source: TokenSource | undefined) {
    this.#source = source
  }

  /** The token; undefined if there is no source. Rejects if the source gives none. */
  async get(): Promise<string | undefined> {
    const source = this.#source
    if (source === undefined || this.#token !== undefined) return this.#token
    this.#pending ??= this.#ask(source).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  /** Forgets a token that is of no use any more, unless it has been replaced already. */
  drop(token: string | undefined, why: TokenReason): void {
    if (token !== this.#token || token === undefined) return
    this.#token = undefined
    this.#why = why
  }

  /** Whether no token is ever sent. */
  get anonymous(): boolean {
    return this.#source === undefined
  }

  /** The token at hand. */
  get current(): string | undefined {
    return this.#token
  }

  async #ask(source: TokenSource): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no token came within ${patienceMs / 1000} s`)), patienceMs)
    })
    try {
      const token = await Promise.race([source(this.#why), late])
      if (!token) throw unauthorised('there is no token: nobody is signed in')
      if (!/^[!-~]+$/.test(token)) throw unauthorised('the token is none: it has characters that no header can have')
      this.#token = token
      return token
    } finally {
      clearTimeout(timer)
    }
  }
}

function unauthorised(detail: string): HubError {
  return new HubError({ status: 401, code: 'unauthorised', detail })
}
