// What docs/spoke.md shows of sessions, of what is done in them, and of receipts.
import { createSpoke } from '@nave/spoke'
import { sendReceipts } from '@nave/spoke/receipts'
import { createTracker, type SessionEvents, trackSession } from '@nave/spoke/session'

type Events = SessionEvents & {
  'card.opened': { card: string }
  'search.used': { words: number }
}

export function followPeople(hub: string, user: { id: string }): void {
  const spoke = createSpoke<Events>({ url: hub })

  const session = trackSession(spoke, {
    topic: `sessions/${user.id}`,
    identity: user.id,
    data: () => ({ page: location.pathname }),
  })
  session.watch((state) => document.body.classList.toggle('asleep', state === 'idle'))

  const { track } = createTracker(spoke, { topic: `analytics/${user.id}`, sample: { 'search.used': 0.1 } })
  document.addEventListener('click', ({ target }) => {
    const card = target instanceof Element && target.closest('[data-card]')?.getAttribute('data-card')
    if (card) track('card.opened', { card })
  })

  const receipts = sendReceipts(spoke)

  document.addEventListener('sign-out', () => {
    session.end()
    receipts.close()
  })
}
