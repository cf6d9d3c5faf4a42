import type { Published } from '../publisher.js'
import type { OutboxItem } from './item.js'

/**
 * The items that go on from the versions that one of their lane has got. Those after an
 * item that was changed do not: what they hold was made of what it was before, so they
 * are to conflict.
 */
export function chained<Events extends object>(
  items: readonly OutboxItem<Events>[],
  sent: OutboxItem<Events>,
  published: Published,
): OutboxItem<Events>[] {
  if (sent.rebases > 0) return []
  const versions = new Map(
    sent.drafts.map(({ topic, key }, i) => [JSON.stringify([topic, key]), published.events[i]?.version]),
  )
  return items
    .filter(({ lane, chain, id }) => chain && lane === sent.lane && id !== sent.id)
    .map((item) => ({
      ...item,
      drafts: item.drafts.map((draft) => {
        const version = versions.get(JSON.stringify([draft.topic, draft.key]))
        return version === undefined || draft.ifVersion === undefined ? draft : { ...draft, ifVersion: version }
      }),
    }))
}
