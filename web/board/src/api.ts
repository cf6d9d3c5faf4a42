import type { Card } from './model.js'
import { pageFetch } from './network.js'

/** What the server has refused, and why. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  /** Not before this is it worth another try, in milliseconds. */
  readonly afterMs: number
  /** With 409: the card as it is now. */
  readonly current: Card | undefined

  constructor(status: number, detail: string, afterMs: number, current: Card | undefined) {
    super(detail)
    this.status = status
    this.afterMs = afterMs
    this.current = current
  }

  /** Whether the same request may fare better later. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 425 || this.status === 429
  }
}

/** How long an answer may take. */
const patienceMs = 20_000

/**
 * Asks the board's API. Throws Refused for a refusal, and what fetch throws if there
 * is no answer. That an answer is a T is taken from the API, which is of the same make.
 */
export async function api<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  user?: string,
): Promise<T> {
  const late = AbortSignal.timeout(patienceMs)
  const response = await pageFetch(`/api/${path}`, {
    method,
    signal: signal ? AbortSignal.any([signal, late]) : late,
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(user !== undefined && { 'X-Board-User': user }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw refusal(response, text)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** As api does. */
export type Ask = <T>(method: string, path: string, body?: unknown) => Promise<T>

/**
 * Asks in somebody's name: it is refused with 401, and signedOut hears of it, when
 * somebody else has signed in since, in another tab, for a browser has one cookie.
 */
export function askAs(user: string, signedOut: () => void): Ask {
  return async (method, path, body) => {
    try {
      return await api(method, path, body, undefined, user)
    } catch (error) {
      if (error instanceof Refused && error.status === 401) signedOut()
      throw error
    }
  }
}

function refusal(response: Response, text: string): Refused {
  let problem: { detail?: string; title?: string; current?: Card } = {}
  try {
    problem = JSON.parse(text)
  } catch {
    // A proxy's page says nothing to people.
  }
  const detail = problem.detail ?? problem.title ?? `the server answered ${response.status}`
  const seconds = Number(response.headers.get('Retry-After') ?? 0)
  return new Refused(response.status, detail, Number.isFinite(seconds) ? seconds * 1_000 : 0, problem.current)
}
