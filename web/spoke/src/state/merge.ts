/** A change that cannot be merged with another's by itself: somebody has to choose. */
export class MergeError extends Error {
  override readonly name = 'MergeError'
  /** What both started from. */
  readonly base: unknown
  /** What is there now, and is not ours. */
  readonly theirs: unknown
  /** What we wanted. */
  readonly mine: unknown
  /** The fields that both have changed; none if one has removed what the other has changed. */
  readonly fields: readonly string[]

  constructor(base: unknown, theirs: unknown, mine: unknown, fields: readonly string[]) {
    super(`both have changed ${fields.join(', ') || 'it as a whole'}: choose between theirs and mine`)
    this.base = base
    this.theirs = theirs
    this.mine = mine
    this.fields = fields
  }
}

/** Makes one entity of two that were made of the same; `undefined` is one that is not there. */
export type Merge<Entity> = (
  base: Entity | undefined,
  theirs: Entity | undefined,
  mine: Entity | undefined,
) => Entity | undefined | Promise<Entity | undefined>

/** Merges field by field. Throws a MergeError if both have changed the same to something else. */
export function mergeFields<Entity>(
  base: Entity | undefined,
  theirs: Entity | undefined,
  mine: Entity | undefined,
): Entity | undefined {
  const { merged, clash } = combine(base, theirs, mine)
  if (clash) throw new MergeError(base, theirs, mine, clash)
  return merged
}

/** Merges field by field; where both have changed the same, mine counts. */
export function keepMine<Entity>(
  base: Entity | undefined,
  theirs: Entity | undefined,
  mine: Entity | undefined,
): Entity | undefined {
  return combine(base, theirs, mine).merged
}

/** What is merged, and the fields of which only mine is in it; undefined if there are none. */
function combine<Entity>(
  base: Entity,
  theirs: Entity,
  mine: Entity,
): { merged: Entity; clash?: readonly string[] | undefined } {
  if (alike(base, theirs) || alike(theirs, mine)) return { merged: mine }
  if (alike(base, mine)) return { merged: theirs }
  if (!isRecord(base) || !isRecord(theirs) || !isRecord(mine)) return { merged: mine, clash: [] }
  const merged = { ...theirs }
  const clash: string[] = []
  for (const field of Object.keys({ ...base, ...mine })) {
    if (alike(base[field], mine[field])) continue
    if (!alike(base[field], theirs[field]) && !alike(theirs[field], mine[field])) clash.push(field)
    if (field in mine) Object.assign(merged, { [field]: mine[field] })
    else delete merged[field]
  }
  return { merged, clash: clash.length > 0 ? clash : undefined }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether two values are the same as JSON, whatever the order of fields. */
function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [x, y] = [fieldsOf(a), fieldsOf(b)]
  return x.length === y.length && x.every(([field, value]) => field in b && alike(value, Reflect.get(b, field)))
}

function fieldsOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, of]) => of !== undefined)
}
