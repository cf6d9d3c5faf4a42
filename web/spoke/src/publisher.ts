import type { Http } from './http.js'
import { describe, errorOf, type Failure, failureOf, failureOfThrown, isPassing } from './problem.js'

/** An event to publish. */
export type Draft<Events extends object> = {
  [Type in keyof Events & string]: {
    readonly topic: string
    readonly type: Type
    readonly key?: string
    /** Nothing, with a key, removes the key. */
    readonly data?: Events[Type]
    /** Names the event, so that it is stored once however often it is sent. Made up if absent. */
    readonly id?: string
    readonly source?: string
    /** When it happened, RFC 3339; the hub's clock if absent. */
    readonly time?: string
    /** Store it only if the key still has this version; 0: only if there is no such key. */
    readonly ifVersion?: number
  }
}[keyof Events & string]

/** What has become of a publish. Transient events have neither cursor nor offset. */
export interface Published {
  readonly cursor?: string
  readonly events: readonly { readonly id?: string; readonly offset?: number; readonly version?: number }[]
  /** It had been published before; this is what the first publish was answered. */
  readonly repeat: boolean
}

export interface PublishOptions {
  readonly signal?: AbortSignal
  /** For how long it is tried again while there is no answer. Defaults to a minute. */
  readonly patienceMs?: number
}

const patienceMs = 60_000
/** How long one try may take: no longer than there is patience for, if that is time enough for any. */
const tryMs = 30_000
const shortestTryMs = 1_000
const firstPauseMs = 500
const pauseCapMs = 10_000
/** Browsers let a page leave no more than 64 KiB behind, of all requests together. */
const leftBehindBytes = 60_000

/**
 * Publisher sends events until there is an answer, each time with the same ids, so
 * they are stored once. What is small outlives the page that sends it.
 */
export class Publisher {
  readonly #http: Http
  readonly #source: string | undefined
  readonly #traceparent: () => string | undefined
  readonly #hurry = new Set<() => void>()
  #leftBehind = 0
  #leaving = false

  constructor(http: Http, source: string | undefined, traceparent: () => string | undefined) {
    this.#http = http
    this.#source = source
    this.#traceparent = traceparent
  }

  /** Whoever waits for its next try has it now: the page is being left. */
  leave(): void {
    this.#leaving = true
    for (const hurry of [...this.#hurry]) hurry()
    this.#leaving = false
  }

  async publish<Events extends object>(
    drafts: Draft<Events> | readonly Draft<Events>[],
    options: PublishOptions,
  ): Promise<Published> {
    const named = Array.isArray(drafts)
      ? (drafts as readonly Draft<Events>[]).map((draft) => this.#named(draft))
      : this.#named(drafts as Draft<Events>)
    const body = JSON.stringify(named)
    const traceparent = this.#traceparent()
    const until = Date.now() + (options.patienceMs ?? patienceMs)
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, pauseCapMs)) {
      const outcome = await this.#once(body, traceparent, until - Date.now(), options.signal)
      if (!('kind' in outcome)) return outcome
      options.signal?.throwIfAborted()
      const wait = Math.max(
        pause * (0.5 + Math.random() / 2),
        outcome.kind === 'refused' ? (outcome.retryAfterMs ?? 0) : 0,
      )
      if (!isPassing(outcome) || isOfContent(outcome) || Date.now() + wait > until) throw errorOfFailure(outcome)
      await this.#pause(wait, options.signal)
    }
  }

  #named<Events extends object>(draft: Draft<Events>): object {
    return { ...(this.#source !== undefined && { source: this.#source }), ...draft, id: draft.id ?? randomId() }
  }

  async #once(
    body: string,
    traceparent: string | undefined,
    leftMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Published | Failure> {
    const size = new TextEncoder().encode(body).length
    const keepalive = this.#leftBehind + size <= leftBehindBytes
    if (keepalive) this.#leftBehind += size
    try {
      const response = await this.#http.send(this.#http.url('events'), {
        method: 'POST',
        body,
        keepalive,
        traceparent,
        withinMs: Math.min(Math.max(leftMs, shortestTryMs), tryMs),
        ...(signal && { signal }),
      })
      if (!response.ok) return await failureOf(response)
      const answer = (await response.json()) as Omit<Published, 'repeat'>
      return { ...answer, repeat: response.headers.get('Nave-Repeat') === 'true' }
    } catch (thrown) {
      return failureOfThrown(thrown)
    } finally {
      if (keepalive) this.#leftBehind -= size
    }
  }

  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#leaving) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.#hurry.delete(end)
        signal?.removeEventListener('abort', end)
        if (signal?.aborted) reject(signal.reason)
        else resolve()
      }
      const timer = setTimeout(end, ms)
      this.#hurry.add(end)
      signal?.addEventListener('abort', end)
    })
  }
}

/** Whether a proxy refuses what it is sent, and would so again. Others of its answers pass. */
function isOfContent(failure: Failure): boolean {
  return failure.kind === 'foreign' && (failure.status === 400 || failure.status === 413)
}

function errorOfFailure(failure: Failure): Error {
  return failure.kind === 'refused' ? errorOf(failure.problem) : new Error(describe(failure))
}

/** An id that nobody else makes. Only pages of a secure origin have randomUUID. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
