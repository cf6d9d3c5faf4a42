/** A change of a card, as the board answered it. */
export interface Change {
  readonly card: string
  readonly title: string
  readonly column: string
  readonly rev: number
  /** When it was sent, by the clock, in milliseconds. */
  readonly sent: number
  /** When the database had it. */
  readonly at: number
}

/** A card in some state came to somebody. */
export interface Arrival {
  readonly card: string
  readonly rev: number
  /** By the clock, in milliseconds. */
  readonly at: number
}

/**
 * How long each change took to come to somebody, or to be overtaken by a newer one of
 * its card: until what he had was as new as that. It is infinite if that was never.
 */
export function delays(changes: readonly Change[], arrivals: readonly Arrival[], from: 'sent' | 'at'): number[] {
  const ofCard = byCard(arrivals)
  return changes.map((change) => {
    const came = ofCard.get(change.card)?.find(({ rev }) => rev >= change.rev)
    return (came?.at ?? Number.POSITIVE_INFINITY) - change[from]
  })
}

/** Which change made a card look as it was seen: the last that had been sent. */
export function arrivalsOf(
  sights: readonly { card: string; title: string; column: string; at: number }[],
  changes: readonly Change[],
): Arrival[] {
  const ofCard = byCard(changes)
  return sights.flatMap(({ card, title, column, at }) => {
    const found = ofCard
      .get(card)
      ?.findLast((change) => change.sent <= at && change.title === title && change.column === column)
    return found === undefined ? [] : [{ card, rev: found.rev, at }]
  })
}

function byCard<T extends { readonly card: string }>(all: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) {
    const before = found.get(one.card)
    if (before) before.push(one)
    else found.set(one.card, [one])
  }
  return found
}
