import type { Card, Fields } from './model.js'

export type Changes = Partial<Fields>

export const fieldNames = ['title', 'text', 'assignee'] as const
export type FieldName = (typeof fieldNames)[number]

export interface Merged {
  /** What is still to be written, over what is there now. */
  readonly changes: Changes
  /** What others have changed, and we have not. */
  readonly theirs: readonly FieldName[]
  /** What both have changed, and not to the same. */
  readonly conflicts: readonly FieldName[]
}

/** Brings our changes, made to `base`, together with the card as others have made it. */
export function merge(base: Fields, changes: Changes, current: Fields): Merged {
  const theirs: FieldName[] = []
  const conflicts: FieldName[] = []
  const left: Partial<Record<FieldName, string | null>> = {}
  for (const name of fieldNames) {
    const mine = changes[name]
    const changed = current[name] !== base[name]
    if (mine === undefined || mine === base[name]) {
      if (changed) theirs.push(name)
    } else if (mine !== current[name]) {
      left[name] = mine
      if (changed) conflicts.push(name)
    }
  }
  return { changes: asChanges(left), theirs, conflicts }
}

/** What is different between two versions of the fields. */
export function difference(from: Fields, to: Fields): Changes {
  const changed: Partial<Record<FieldName, string | null>> = {}
  for (const name of fieldNames) if (from[name] !== to[name]) changed[name] = to[name]
  return asChanges(changed)
}

export function fieldsOf({ title, text, assignee }: Card): Fields {
  return { title, text, assignee }
}

/** Only a card's assignee may be nobody. */
function asChanges({ title, text, assignee }: Partial<Record<FieldName, string | null>>): Changes {
  return {
    ...(typeof title === 'string' && { title }),
    ...(typeof text === 'string' && { text }),
    ...(assignee !== undefined && { assignee }),
  }
}
