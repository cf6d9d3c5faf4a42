// What docs/spoke.md begins with.
import { createSpoke } from '@nave/spoke'

export function follow(hub: string, load: () => void): void {
  const spoke = createSpoke({ url: hub })
  spoke.subscribe('cards/board-1', { begun: load, events: load, reset: load })
}
