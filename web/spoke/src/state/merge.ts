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
  // Maps, since a field may have the name of what every object has: __proto__, or toString.
  const [was, has, wants] = [mapOf(base), mapOf(theirs), mapOf(mine)]
  const merged = new Map(has)
  const clash: string[] = []
  for (const field of new Map([...was, ...wants]).keys()) {
    const value = wants.get(field)
    if (alike(was.get(field), value)) continue
    if (!alike(was.get(field), has.get(field)) && !alike(has.get(field), value)) clash.push(field)
    if (wants.has(field)) merged.set(field, value)
    else merged.delete(field)
  }
  return { merged: Object.fromEntries(merged) as Entity, clash: clash.length > 0 ? clash : undefined }
}

function mapOf(entity: object): Map<string, unknown> {
  return new Map(Object.entries(entity))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether two values are the same as JSON, whatever the order of fields. */
function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [x, y] = [fieldsOf(a), new Map(fieldsOf(b))]
  return x.length === y.size && x.every(([field, value]) => y.has(field) && alike(value, y.get(field)))
}

function fieldsOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, of]) => of !== undefined)
}
