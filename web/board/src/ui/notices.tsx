import { notices } from '../notices.js'
import { useStore } from '../store.js'
import { Failed } from './failed.js'
import { Sentence } from './sentence.js'

/** What passes, the newest first, and below it what stays until somebody has dealt with it. */
export function Notices({ onEdit }: { onEdit: (card: string) => void }) {
  const all = useStore(notices)
  return (
    <div className="notices" role="status" aria-live="polite">
      {all.toReversed().map(({ id, text, action }) => (
        <p key={id} className="notice">
          <Sentence>{text}</Sentence>
          {action && (
            <button
              type="button"
              onClick={() => {
                action.run()
                notices.set(notices.value.filter((notice) => notice.id !== id))
              }}
            >
              {action.label}
            </button>
          )}
        </p>
      ))}
      <Failed onEdit={onEdit} />
    </div>
  )
}
