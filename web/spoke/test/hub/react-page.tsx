// A page of React: hundreds of components that follow one topic, and routes; rendered
// by a "server" first if that is asked for.
import { Profiler, StrictMode, useEffect, useRef, useState } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { createSpoke } from '../../src/index.js'
import { SpokeProvider, useEvents, useHubStatus, usePresence, usePublish } from '../../src/react/index.js'

declare global {
  var counts: {
    /** Passes in which React has changed anything in the list, and the most of one card. */
    passes: number
    ofCard: number[]
    /** Subscriptions and watches that have not ended. */
    open: number
    begun: number
    warnings: string[]
  }
}

const asked = new URLSearchParams(location.search)
const spoke = createSpoke({ url: asked.get('hub') ?? '' })

globalThis.counts = { passes: 0, ofCard: [], open: 0, begun: 0, warnings: [] }
const count = globalThis.counts
const error = console.error
console.error = (...said: unknown[]) => {
  count.warnings.push(said.map(String).join(' '))
  error(...said)
}
const { subscribe, watch } = spoke
const counted = (end: () => void) => {
  count.open++
  count.begun++
  let open = true
  return () => {
    if (open) count.open--
    open = false
    end()
  }
}
spoke.subscribe = (...args) => counted(subscribe.apply(spoke, args))
spoke.watch = (listener) => counted(watch.call(spoke, listener))

function Card({ index }: { index: number }) {
  const [shown, show] = useState({ text: '', calls: 0 })
  useEvents('cards/1', (events) => show(({ calls }) => ({ text: String(events.at(-1)?.data), calls: calls + 1 })))
  const name = useHubStatus((state) => state.name === 'closed')
  useEffect(() => {
    count.ofCard[index] = (count.ofCard[index] ?? 0) + 1
  })
  return (
    <li>
      {shown.text} {shown.calls || ''}
      {name}
    </li>
  )
}

function People() {
  const { members, total } = usePresence('boards/1')
  return <p id="people">{total === undefined ? 'unknown' : members.map(({ subject }) => subject).join(' ')}</p>
}

function Publish() {
  const { publish, pending, error } = usePublish()
  const first = useRef(publish)
  return (
    <p>
      <button type="button" id="publish" onClick={() => publish({ topic: 'cards/1', type: 't', data: 'mine' })}>
        publish
      </button>
      <button
        type="button"
        id="refused"
        onClick={() => publish({ topic: 'cards/1', type: 't', key: 'k', data: 'x', ifVersion: 99 })}
      >
        refused
      </button>
      <output id="publishing">
        {pending ? 'pending' : 'quiet'} {error instanceof Error ? error.name : ''} {String(first.current === publish)}
      </output>
    </p>
  )
}

/** Which nobody hears of but the spoke. */
function Refused() {
  useEvents('**/a', () => {})
  return undefined
}

function App() {
  const [route, go] = useState('a')
  const name = useHubStatus()
  return (
    <>
      <p id="state">{name}</p>
      <p id="route">{route}</p>
      {['a', 'b', 'none'].map((to) => (
        <button type="button" key={to} id={to} onClick={() => go(to)}>
          {to}
        </button>
      ))}
      {route !== 'none' && (
        <Profiler id="list" onRender={() => count.passes++}>
          <ul key={route}>
            {Array.from({ length: Number(asked.get('cards') ?? 200) }, (_, i) => (
              <Card key={String(i)} index={i} />
            ))}
          </ul>
        </Profiler>
      )}
      {route !== 'none' && <People key={route} />}
      <Publish />
      {asked.has('refused') && <Refused />}
    </>
  )
}

const whole = (
  <StrictMode>
    <SpokeProvider spoke={spoke}>
      <App />
    </SpokeProvider>
  </StrictMode>
)
const main = document.body.appendChild(document.createElement('main'))
async function start() {
  if (!asked.has('hydrate')) return createRoot(main).render(whole)
  main.innerHTML = renderToString(whole)
  // The page's spoke is live before React takes over what the server has rendered.
  subscribe.call(spoke, 'elsewhere', () => {})
  while (spoke.state.name !== 'live') await new Promise((resolve) => setTimeout(resolve, 10))
  hydrateRoot(main, whole, { onRecoverableError: (thrown) => count.warnings.push(String(thrown)) })
}
void start()
Object.assign(globalThis, { seen: {}, spoke })
