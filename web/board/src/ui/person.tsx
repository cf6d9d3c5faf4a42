import { useQuery } from '@tanstack/react-query'
import type { User } from '../model.js'
import * as queries from '../queries.js'
import { useWorkplace } from '../workplace.js'

const hues = 5

/** The same person has the same colour everywhere. */
function hueOf(id: string): number {
  return (id.codePointAt(0) ?? 0) % hues
}

export function usePeople(): { people: readonly User[]; nameOf: (id: string) => string } {
  const { spoke } = useWorkplace()
  const { data: people = [] } = useQuery(queries.users(spoke))
  return { people, nameOf: (id) => people.find((user) => user.id === id)?.name ?? id }
}

export function Avatar({ id, name, dim = false }: { id: string; name: string; dim?: boolean }) {
  const letters = name
    .split(/\s+/)
    .map((word) => word[0] ?? '')
    .join('')
    .slice(0, 2)
    .toUpperCase()
  return (
    <span className={dim ? `avatar hue-${hueOf(id)} dim` : `avatar hue-${hueOf(id)}`} title={name} aria-hidden="true">
      {letters}
    </span>
  )
}
