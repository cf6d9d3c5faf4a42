import { errorOf, failureOf } from './problem.js'
import type { Tokens } from './tokens.js'

export interface Ask {
  readonly method?: 'GET' | 'POST'
  readonly accept?: string
  readonly body?: string
  readonly signal?: AbortSignal
  /** How long the answer may take, all of it; a stream has no end. Defaults to half a minute. */
  readonly withinMs?: number | undefined
  readonly keepalive?: boolean
  readonly traceparent?: string | undefined
  /** Called when the request leaves. */
  readonly sent?: () => void
}

const withinMs = 30_000

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Http sends requests to the hub, with a token if there is one. */
export class Http {
  readonly #base: string
  readonly #tokens: Tokens
  readonly #fetch: Fetch
  readonly #credentials: RequestCredentials

  constructor(base: string, tokens: Tokens, fetch: Fetch | undefined, credentials: RequestCredentials | undefined) {
    this.#base = base.replace(/\/+$/, '')
    this.#tokens = tokens
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init))
    this.#credentials = credentials ?? 'same-origin'
  }

  get credentials(): RequestCredentials {
    return this.#credentials
  }

  get tokens(): Tokens {
    return this.#tokens
  }

  /** The URL of `/v1/…`, with parameters. */
  url(path: string, parameters: readonly (readonly [string, string])[] = []): string {
    const query = parameters.map(([name, value]) => `${name}=${encode(value)}`).join('&')
    return `${this.#base}/v1/${path}${query && `?${query}`}`
  }

  /** Sends a request. A token that is refused is replaced, and the request sent once more. */
  async send(url: string, ask: Ask): Promise<Response> {
    const token = await this.#tokens.get()
    const response = await this.#once(url, ask, token)
    if (response.status !== 401 || token === undefined) return response
    this.#tokens.drop(token, 'refused')
    const newer = await this.#tokens.get()
    if (newer === token) return response
    await response.body?.cancel()
    return this.#once(url, ask, newer)
  }

  /** Sends JSON and reads JSON. Throws a HubError for a refusal, an Error for what is no answer of a hub. */
  async json<T>(url: string, ask: Ask): Promise<T> {
    const response = await this.send(url, ask)
    if (response.ok && isType(response, 'application/json')) return (await response.json()) as T
    const failure = await failureOf(response)
    throw failure.kind === 'refused'
      ? errorOf(failure.problem)
      : new Error(failure.kind === 'foreign' ? failure.message : failure.kind)
  }

  #once(url: string, ask: Ask, token: string | undefined): Promise<Response> {
    const headers: Record<string, string> = { Accept: ask.accept ?? 'application/json' }
    if (token !== undefined) headers['Authorization'] = `Bearer ${token}`
    if (ask.body !== undefined) headers['Content-Type'] = 'application/json'
    if (ask.traceparent) headers['Traceparent'] = ask.traceparent
    const signal = ended(ask)
    ask.sent?.()
    return this.#fetch(url, {
      method: ask.method ?? 'GET',
      headers,
      credentials: this.#credentials,
      redirect: 'follow',
      // Or of two tabs that wait for the same page one waits for the other. What is posted
      // is not cached anyway, and with this a browser asks for permission each time.
      ...(ask.method !== 'POST' && { cache: 'no-store' }),
      ...(ask.body !== undefined && { body: ask.body }),
      ...(signal && { signal }),
      ...(ask.keepalive && { keepalive: true }),
    })
  }
}

/** Ends a request that is called off, or takes too long. */
function ended({ accept, signal, withinMs: ms = withinMs }: Ask): AbortSignal | undefined {
  if (accept === 'text/event-stream') return signal
  const late = AbortSignal.timeout(ms)
  if (signal === undefined) return late
  return AbortSignal.any?.([signal, late]) ?? signal // browsers before 2024 cannot join two
}

export function isType(response: Response, type: string): boolean {
  return response.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase() === type
}

/** Filters read better in a URL with / as it is, which a query may have. Halves of characters cannot be encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')).replaceAll('%2F', '/')
}
