import { useId } from 'react'
import type { Changes, FieldName } from '../merge.js'
import { usePeople } from './person.js'

export const fieldLabels: Readonly<Record<FieldName, string>> = { title: 'Title', text: 'Text', assignee: 'Assignee' }

export const mostTitle = 200
const mostText = 10_000

/** What a field holds, as people read it. */
export function fieldText(name: FieldName, value: string | null, nameOf: (id: string) => string): string {
  if (name === 'assignee') return value === null ? 'nobody' : nameOf(value)
  return value === null || value === '' ? 'nothing' : value
}

/** By how many characters a field is longer than it may be. */
export function tooLong(name: FieldName, value: string | null | undefined): number {
  const most = { title: mostTitle, text: mostText, assignee: Number.POSITIVE_INFINITY }[name]
  return Math.max(0, [...(value ?? '')].length - most) // as the server counts
}

/** The input of a card's field. */
export function FieldInput({
  name,
  value,
  label = fieldLabels[name],
  onChange,
}: {
  name: FieldName
  value: string | null
  label?: string
  onChange: (change: Changes) => void
}) {
  const { people } = usePeople()
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {name === 'title' && (
        <input
          id={id}
          value={value ?? ''}
          required
          maxLength={mostTitle}
          onChange={({ target }) => onChange({ title: target.value })}
        />
      )}
      {name === 'text' && (
        <textarea
          id={id}
          value={value ?? ''}
          rows={6}
          maxLength={mostText}
          onChange={({ target }) => onChange({ text: target.value })}
        />
      )}
      {name === 'assignee' && (
        <select id={id} value={value ?? ''} onChange={({ target }) => onChange({ assignee: target.value || null })}>
          <option value="">Nobody</option>
          {people.map((user) => (
            <option key={user.id} value={user.id}>
              {user.name}
            </option>
          ))}
        </select>
      )}
    </div>
  )
}
