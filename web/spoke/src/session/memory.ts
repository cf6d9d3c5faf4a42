import { randomId } from '../publisher.js'

/** What is known of a session over a reload. */
export interface Memory {
  readonly id: string
  /** RFC 3339. */
  readonly began: string
  readonly continued: boolean
}

/** Who comes back later than this begins a new session. */
const continuesMs = 30 * 60_000

/**
 * The session that was kept, or a new one. It is kept only while no page has it: a tab
 * that is duplicated gets a copy of what is stored, and has to begin a session of its own.
 */
export function resume(topic: string): Memory {
  const kept = stored((storage) => {
    const text = storage.getItem(nameOf(topic))
    storage.removeItem(nameOf(topic))
    return text
  })
  const [id, began, left] = kept?.split(' ') ?? []
  if (id && began && Date.now() - Number(left) < continuesMs) return { id, began, continued: true }
  return { id: randomId(), began: new Date().toISOString(), continued: false }
}

export function keep(topic: string, { id, began }: Memory): void {
  stored((storage) => storage.setItem(nameOf(topic), `${id} ${began} ${Date.now()}`))
}

function nameOf(topic: string): string {
  return `nave/session ${topic}`
}

/** A page may have no storage; then nothing is kept. */
function stored<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage)
  } catch {
    return undefined
  }
}
