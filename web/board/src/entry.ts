// What is in localStorage may be damaged, or of a page of another make.
import type { Entry } from './outbox.js'
import type { Write } from './overlay.js'

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => typeof value === 'number'
const textOrNull: Check = (value) => value === null || text(value)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const object =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(members).every(([name, check]) => check(value[name]))

const fields = { title: text, text, assignee: textOrNull }
const changes = { title: optional(text), text: optional(text), assignee: optional(textOrNull) }
const card = object({ ...fields, id: text, column: text, rev: number, updatedBy: text, updatedAt: text })

const writes: Readonly<Record<Write['do'], Check>> = {
  create: object({ card: text, column: text, title: text }),
  edit: object({ card: text, changes: object(changes), base: object(fields), rev: number }),
  move: object({ card: text, to: text, before: textOrNull }),
  delete: object({ card: text, rev: number, title: text }),
  say: object({ conversation: text, id: text, text, at: text }),
  status: object({ status: text }),
}

const write: Check = (value) =>
  isObject(value) && Object.entries(writes).some(([what, check]) => what === value['do'] && check(value))
const failure: Check = (value) =>
  isObject(value) && (value['kind'] === 'gone' || (value['kind'] === 'refused' && text(value['why'])))
const entry = object({
  write,
  notBefore: optional(number),
  conflict: optional(card),
  failed: optional(failure),
})

/** The entry that is kept under a key; undefined if that is none. */
export function parseEntry(key: string, kept: string | null): Entry | undefined {
  try {
    const value: unknown = kept === null ? undefined : JSON.parse(kept)
    return isEntry(value) && value.key === key ? value : undefined
  } catch {
    return undefined
  }
}

function isEntry(value: unknown): value is Entry {
  return entry(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
