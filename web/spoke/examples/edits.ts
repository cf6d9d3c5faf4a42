// What docs/spoke.md shows of the outbox and of live state, run by test/hub/docs.test.ts.
import { createSpoke } from '@nave/spoke'
import { createOutbox } from '@nave/spoke/outbox'
import { liveState, MergeError, mergeFields, rebase } from '@nave/spoke/state'

type Card = { title: string; column: string }
type CardEvents = { card: Card }

export async function keep(hub: string, user: { id: string }, show: (text: string) => void): Promise<void> {
  const spoke = createSpoke<CardEvents>({ url: hub })
  const outbox = createOutbox<CardEvents>(spoke, {
    identity: user.id,
    onGivenUp: ({ failure }) => show(`not saved: ${failure?.reason}`),
  })
  const card = { title: 'Ship it', column: 'doing' }
  const { stored, sent } = outbox.enqueue({ topic: 'cards/board-2', type: 'card', key: 'card-1', data: card })
  show(`kept on ${await stored}`)
  await sent
  show(`${outbox.items.length} wait`)
  outbox.close()
}

export async function edit(hub: string, show: (text: string) => void): Promise<void> {
  const spoke = createSpoke<CardEvents>({ url: hub })
  const cards = liveState<Card, CardEvents>(spoke, {
    topic: 'cards/board-2',
    type: 'card',
    merge(base, theirs, mine) {
      try {
        return mergeFields(base, theirs, mine)
      } catch (error) {
        if (error instanceof MergeError && confirm(`Overwrite ${error.fields.join(' and ')}?`)) return mine
        throw error
      }
    },
  })
  cards.watch(() => {
    for (const [key, { data, pending }] of cards.items) show(`${key}: ${data.title}${pending ? ' …' : ''}`)
  })
  await new Promise<void>((resolve) => {
    const off = cards.watch(() => cards.ready && resolve(off()))
  })
  await cards.update('card-1', (card) => card && { ...card, title: 'Shipped' })
}

export function editOffline(hub: string, user: { id: string }): void {
  const spoke = createSpoke<CardEvents>({ url: hub })
  const outbox = createOutbox<CardEvents>(spoke, { identity: user.id, conflict: rebase<CardEvents, Card>() })
  liveState<Card, CardEvents>(spoke, { topic: 'cards/board-2', type: 'card', outbox })
}
