import { type SubmitEvent, useRef, useState } from 'react'
import { useDraft } from '../drafts.js'
import { newId } from '../id.js'
import type { Column } from '../model.js'
import { useWorkplace } from '../workplace.js'
import { mostTitle } from './fields.js'

export function NewCard({ column }: { column: Column }) {
  const { track, write } = useWorkplace()
  const [title, setTitle] = useDraft(`new ${column.id}`, '')
  const [isOpen, setOpen] = useState(false)
  const wasOpen = useRef(false)

  const add = (event: SubmitEvent) => {
    event.preventDefault()
    const named = title.trim()
    if (!named) return
    track('add card')
    if (write({ do: 'create', card: newId(), column: column.id, title: named })) setTitle('')
  }

  if (!isOpen) {
    return (
      <button
        type="button"
        className="add"
        // biome-ignore lint/a11y/noAutofocus: Escape goes back to it.
        autoFocus={wasOpen.current}
        onClick={() => {
          wasOpen.current = false
          setOpen(true)
        }}
      >
        {title === '' ? 'Add a card' : `Go on with “${title}”`}
        <span className="sr">
          {' '}
          {title === '' ? 'to' : 'in'} {column.title}
        </span>
      </button>
    )
  }
  return (
    <form className="new" onSubmit={add}>
      <input
        // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed.
        autoFocus
        aria-label={`Title of a new card in ${column.title}`}
        placeholder="What is to be done?"
        value={title}
        maxLength={mostTitle}
        onChange={(event) => setTitle(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          wasOpen.current = true
          setOpen(false)
        }}
        onBlur={() => title === '' && setOpen(false)}
      />
      <button type="submit">Add</button>
    </form>
  )
}
