import type { Level, WireEvent } from './wire.js'

/** A problem document (RFC 9457). `code` and `status` are stable, `detail` is for people. */
export interface Problem {
  readonly type?: string
  readonly title?: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly level?: Level
  readonly conflicts?: readonly Conflict[]
}

/** One condition that did not hold: apply the change to `event`, and publish with `version`. */
export interface Conflict {
  readonly topic: string
  readonly key: string
  readonly ifVersion: number
  readonly version: number
  /** What made the version; absent if the key is removed, or may not be read. */
  readonly event?: WireEvent
}

/** The hub has refused. */
export class HubError extends Error {
  override readonly name: string = 'HubError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }

  get code(): string {
    return this.problem.code
  }

  get status(): number {
    return this.problem.status
  }
}

/** Somebody was faster. Nothing was stored. */
export class ConflictError extends HubError {
  override readonly name: string = 'ConflictError'

  get conflicts(): readonly Conflict[] {
    return this.problem.conflicts ?? []
  }
}

export function errorOf(problem: Problem): HubError {
  return problem.code === 'conflict' ? new ConflictError(problem) : new HubError(problem)
}

/** Why a stream, or the answer to a request, has not come or not lasted. */
export type Failure =
  /** There was no answer, or it broke off. */
  | { readonly kind: 'network'; readonly message: string }
  /** The stream ended in good order. */
  | { readonly kind: 'ended' }
  /** The stream began and was silent for too long. */
  | { readonly kind: 'silent' }
  /** The stream did not begin in time: something on the way holds it back. */
  | { readonly kind: 'mute' }
  /** Something else than a hub has answered. */
  | { readonly kind: 'foreign'; readonly status: number; readonly message: string }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly retryAfterMs: number | undefined }

/** Refusals after which the same request may succeed, later. */
const passing: ReadonlySet<string> = new Set([
  'timeout',
  'busy',
  'internal',
  'overloaded',
  'draining',
  'degraded',
  'unavailable',
])

/** Whether the same request may succeed later. */
export function isPassing(failure: Failure): boolean {
  return failure.kind !== 'refused' || passing.has(failure.problem.code)
}

/** What an answer that is not the expected one means. It reads the body. */
export async function failureOf(response: Response): Promise<Failure> {
  const text = await response.text().catch(() => '')
  const problem = problemOf(text, response)
  if (problem === undefined) {
    const excerpt = text.replace(/\s+/g, ' ').slice(0, 80)
    return {
      kind: 'foreign',
      status: response.status,
      message: `${response.url} answers ${response.status} ${response.headers.get('Content-Type') ?? ''}, which is no hub's: ${excerpt}`,
    }
  }
  return { kind: 'refused', problem, retryAfterMs: retryAfterOf(response) }
}

function problemOf(text: string, response: Response): Problem | undefined {
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) return undefined
  try {
    const problem = JSON.parse(text) as Problem
    return typeof problem.code === 'string' ? { ...problem, status: response.status } : undefined
  } catch {
    return undefined
  }
}

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

/** The failure that a thrown value stands for. */
export function failureOfThrown(thrown: unknown): Failure {
  if (thrown instanceof HubError) return { kind: 'refused', problem: thrown.problem, retryAfterMs: undefined }
  return { kind: 'network', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

/** A failure in one sentence, for people. */
export function describe(failure: Failure): string {
  switch (failure.kind) {
    case 'network':
      return `the hub cannot be reached: ${failure.message}`
    case 'ended':
      return 'the stream has ended'
    case 'silent':
      return 'the stream was silent for too long'
    case 'mute':
      return 'the stream did not begin in time: something on the way holds it back'
    case 'foreign':
      return failure.message
    case 'refused':
      return failure.problem.detail
  }
}
