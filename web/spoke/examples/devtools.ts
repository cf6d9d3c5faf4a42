// What docs/spoke.md shows of the devtools.
import { createSpoke } from '@nave/spoke'

export async function start(hub: string): Promise<void> {
  const spoke = createSpoke({ url: hub })
  if (location.hash === '#devtools') {
    const { mountDevtools } = await import('@nave/spoke/devtools')
    mountDevtools(spoke)
  }
}
