// Cards, as an application has them: read from its server, and changed by events.
export interface Cards {
  readonly cursor: string
  readonly cards: readonly { readonly id: string; readonly version: number; readonly title: string }[]
}

export async function fetchCards(hub: string, topic: string): Promise<Cards> {
  const response = await fetch(`${hub}/v1/state?topic=${topic}`)
  const state = (await response.json()) as { cursor: string; items: { key: string; version: number; data: string }[] }
  return {
    cursor: state.cursor,
    cards: state.items.map(({ key, version, data }) => ({ id: key, version, title: data })),
  }
}

/** What an event makes of cards. */
export function change(
  shown: Cards,
  { key = '', version = 0, data = '' }: { readonly key?: string; readonly version?: number; readonly data?: string },
): Cards {
  const known = shown.cards.find(({ id }) => id === key)
  if (known && known.version >= version) return shown
  const others = shown.cards.filter(({ id }) => id !== key)
  const cards = [...others, { id: key, version, title: data }].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { ...shown, cards }
}
