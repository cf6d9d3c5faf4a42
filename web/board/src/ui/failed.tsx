import { useEdits } from '../drafts.js'
import { newId } from '../id.js'
import type { Changes } from '../merge.js'
import type { Entry } from '../outbox.js'
import { useStore } from '../store.js'
import { type Told, told } from '../told.js'
import { useBoard, useWorkplace, whyOf } from '../workplace.js'
import { Sentence } from './sentence.js'

/** What somebody wrote and cannot be done, in every tab, until they have dealt with it. */
export function Failed({ onEdit }: { onEdit: (card: string) => void }) {
  const { outbox } = useWorkplace()
  return useStore(outbox.failed).map((entry) => <FailedEntry key={entry.key} entry={entry} onEdit={onEdit} />)
}

interface Properties {
  readonly entry: Entry
  /** Opens a card. */
  readonly onEdit: (card: string) => void
}

function FailedEntry({ entry: { key, write, failed }, onEdit }: Properties) {
  const { outbox, track, write: add } = useWorkplace()
  const { board } = useBoard()
  const drafts = useEdits()
  if (failed === undefined) return null
  const isDeleted = write.do === 'edit' && failed.kind === 'gone'
  // What has been typed since is not written over.
  const isAgain =
    write.do === 'edit' &&
    failed.kind === 'refused' &&
    board?.cards.some(({ id }) => id === write.card) &&
    !drafts.edits.some(({ card }) => card === write.card)
  const editAgain = () => {
    if (write.do !== 'edit') return
    track('edit again')
    drafts.add(write)
    outbox.remove(key)
    onEdit(write.card)
  }
  const makeAnew = () => {
    if (write.do !== 'edit' || board === undefined) return
    const column = (board.columns.find(({ id }) => id === write.column) ?? board.columns[0])?.id
    if (column === undefined) return
    const card = newId()
    const edited = { ...write.base, ...write.changes }
    const base = { title: edited.title, text: '', assignee: null }
    const made = add({ do: 'create', card, column, title: edited.title })
    if (made === undefined) return
    // The one without the other would lose words.
    outbox.remove(add({ do: 'edit', card, rev: 1, base, changes: edited }) === undefined ? made : key)
  }
  const said = (): Told => {
    if (isDeleted) return told`“${write.changes.title ?? write.base.title}” was deleted while you edited it`
    if (write.do === 'say') return told`Not sent: “${write.text}”: ${whyOf(failed)}`
    if (write.do === 'create') return told`“${write.title}” was not made: ${whyOf(failed)}`
    if (write.do === 'edit')
      return [...told`“${write.base.title}” was not changed: ${whyOf(failed)}`, ...wordsOf(write.changes)]
    if (write.do === 'status') return told`Your status is not “${write.status}”: ${whyOf(failed)}`
    return told`That was not possible and is undone: ${whyOf(failed)}`
  }
  return (
    <p className="notice">
      <Sentence>{said()}</Sentence>
      {isDeleted && (
        <button type="button" onClick={makeAnew}>
          Make it a new card
        </button>
      )}
      {isAgain && (
        <button type="button" onClick={editAgain}>
          Edit again
        </button>
      )}
      <button type="button" onClick={() => outbox.remove(key)}>
        Let it go
      </button>
    </p>
  )
}

/** What was written, which is nowhere else. */
function wordsOf({ title, text }: Changes): Told {
  if (title && text) return told`. You wrote: “${title}” and “${text}”`
  const words = title || text
  return words ? told`. You wrote: “${words}”` : []
}
