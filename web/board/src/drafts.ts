import type { Write } from './overlay.js'
import { Store, useStore } from './store.js'
import { useWorkplace } from './workplace.js'

export type Edit = Extract<Write, { do: 'edit' }>

const prefix = 'board draft '

/** What was typed and is neither sent nor given up: it outlasts dialogs and panels, and reloads of the tab. */
const drafts: Store<Readonly<Record<string, unknown>>> = new Store<Readonly<Record<string, unknown>>>(stored())

function stored(): Record<string, unknown> {
  const keys = Object.keys(sessionStorage).filter((key) => key.startsWith(prefix))
  return Object.fromEntries(keys.flatMap((key) => parsed(key.slice(prefix.length), sessionStorage[key])))
}

/** One that is damaged is none. */
function parsed(key: string, text: string): [string, unknown][] {
  try {
    return [[key, JSON.parse(text)]]
  } catch {
    return []
  }
}

function keep(key: string, value: unknown): void {
  const { [key]: _, ...others } = drafts.value
  drafts.set(value === undefined ? others : { ...others, [key]: value })
  try {
    if (value === undefined) sessionStorage.removeItem(prefix + key)
    else sessionStorage.setItem(prefix + key, JSON.stringify(value))
  } catch {
    // There is no room: it lasts as long as the page.
  }
}

/** A state that is kept, by what it is a draft of, until it is set to `none` again. */
export function useDraft<Value>(what: string, none: Value): [Value, (value: Value) => void] {
  const { me } = useWorkplace()
  const key = `${me.id} ${what}`
  const all = useStore(drafts)
  return [key in all ? (all[key] as Value) : none, (value) => keep(key, value === none ? undefined : value)]
}

/** What is a draft of a card. */
export const cardDraft = (card: string): string => `card ${card}`

/** The edits of cards that are drafts, what makes one a draft, and what forgets one. */
export function useEdits(): {
  edits: readonly Edit[]
  add: (edit: Edit) => void
  forget: (card: string) => void
} {
  const { me } = useWorkplace()
  const mine = `${me.id} ${cardDraft('')}`
  const found = Object.entries(useStore(drafts)).filter(([key]) => key.startsWith(mine))
  return {
    edits: found.map(([, edit]) => edit as Edit),
    add: (edit) => keep(mine + edit.card, edit),
    forget: (card) => keep(mine + card, undefined),
  }
}
