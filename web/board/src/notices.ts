import { Store } from './store.js'
import type { Told } from './told.js'

/** Something to tell, with what can be done about it. */
export interface Notice {
  readonly id: number
  readonly text: Told
  readonly action?: { readonly label: string; readonly run: () => void }
}

export const notices: Store<readonly Notice[]> = new Store<readonly Notice[]>([])

let last = 0

/** Tells something for some milliseconds, and returns what ends that. */
export function notify(text: string | Told, action?: Notice['action'], ms = 6_000): () => void {
  const id = ++last
  const end = () => notices.set(notices.value.filter((notice) => notice.id !== id))
  const told = typeof text === 'string' ? [text] : text
  notices.set([...notices.value, { id, text: told, ...(action && { action }) }])
  setTimeout(end, ms)
  return end
}
