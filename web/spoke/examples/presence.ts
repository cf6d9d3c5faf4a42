// What docs/spoke.md shows of presence.
import { createSpoke } from '@nave/spoke'
import { followPresence } from '@nave/spoke/presence'

export function follow(hub: string, show: (text: string) => void): () => void {
  const spoke = createSpoke({ url: hub })
  const presence = followPresence(spoke, 'boards/1')
  presence.watch(({ members, total, refused }) => {
    if (refused) show(refused.message)
    else show(`${total} here: ${members.map(({ subject, idle }) => (idle ? `(${subject})` : subject)).join(', ')}`)
  })
  return presence.close
}
