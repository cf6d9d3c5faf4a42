import { useQuery } from '@tanstack/react-query'
import { useState, useSyncExternalStore } from 'react'
import type { User } from '../model.js'
import * as queries from '../queries.js'
import { useUnread } from '../unread.js'
import { useNewWorkplace, WorkplaceContext } from '../workplace.js'
import { BoardView } from './board.js'
import { Boundary } from './boundary.js'
import { Chat } from './chat.js'
import { Conflicts } from './conflict.js'
import { Connection } from './connection.js'
import { Header } from './header.js'
import { Notices } from './notices.js'
import { People } from './people.js'
import { SignIn } from './signin.js'
import { Trouble } from './trouble.js'

export function App() {
  const { data: me, isPending, error } = useQuery(queries.me)
  if (isPending) return <p className="wait">One moment …</p>
  if (error && !me) return <p className="wait">The board cannot be had: {error.message}. Load the page again.</p>
  return me ? <Inside key={me.id} me={me} /> : <SignIn />
}

const panels = [
  { id: 'board', label: 'Board' },
  { id: 'chat', label: 'Chat' },
  { id: 'people', label: 'People' },
  { id: 'connection', label: 'Connection' },
] as const
type Panel = (typeof panels)[number]['id']

/** That there is something new in the conversations. */
function News() {
  return useUnread().size > 0 && <span className="unread"> new</span>
}

const wide = matchMedia('(min-width: 900px)') // as in style/page.css

/** Whether the board and a panel are beside each other. */
function useIsWide(): boolean {
  return useSyncExternalStore(
    (changed) => {
      wide.addEventListener('change', changed)
      return () => wide.removeEventListener('change', changed)
    },
    () => wide.matches,
  )
}

/** The board, and beside it, or on a small screen in its place, one of the panels. */
function Inside({ me }: { me: User }) {
  const workplace = useNewWorkplace(me)
  const [panel, setPanel] = useState<Panel>('board')
  const [editing, setEditing] = useState<string>()
  const isWide = useIsWide()
  if (workplace === undefined) return <p className="wait">One moment …</p>
  const show = (id: Panel) => {
    workplace.track(`show ${id}`)
    setPanel(id)
  }
  const edit = (card: string) => {
    if (!isWide) setPanel('board')
    setEditing(card)
  }
  const beside = panel === 'board' ? 'connection' : panel
  return (
    <WorkplaceContext value={workplace}>
      <div className="page" data-panel={panel}>
        <Boundary>
          <Header />
        </Boundary>
        <main>
          <div className="front">
            <Boundary>
              <BoardView editing={editing} setEditing={setEditing} />
            </Boundary>
          </div>
          <nav className="panels" aria-label="Panels">
            {panels.map(({ id, label }) => (
              <button
                key={id}
                type="button"
                className="tab"
                data-to={id}
                aria-pressed={id === (isWide ? beside : panel)}
                onClick={() => show(id)}
              >
                {label}
                {id === 'chat' && <News />}
              </button>
            ))}
          </nav>
          <div className="beside">
            <Boundary key={beside}>
              {beside === 'chat' && <Chat />}
              {beside === 'people' && <People />}
              {beside === 'connection' && <Connection />}
            </Boundary>
          </div>
        </main>
        <Boundary>
          <Trouble />
        </Boundary>
        <Boundary>
          <Conflicts />
        </Boundary>
        <Boundary>
          <Notices onEdit={edit} />
        </Boundary>
      </div>
    </WorkplaceContext>
  )
}
