// A page of React: a hundred components that follow one topic, and routes.
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createSpoke } from '../../src/index.js'
import { SpokeProvider, useEvents, useSpokeState } from '../../src/react/index.js'

const spoke = createSpoke({ url: new URLSearchParams(location.search).get('hub') ?? '' })

function Card() {
  const [shown, show] = useState({ text: '', calls: 0 })
  useEvents('cards/1', (events) => show(({ calls }) => ({ text: String(events[0]?.data), calls: calls + 1 })))
  return (
    <li>
      {shown.text} {shown.calls || ''}
    </li>
  )
}

function App() {
  const [route, go] = useState('a')
  const name = useSpokeState((state) => state.name)
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
        <ul key={route}>
          {Array.from({ length: 100 }, (_, i) => (
            <Card key={String(i)} />
          ))}
        </ul>
      )}
    </>
  )
}

Object.assign(globalThis, { seen: {} })
createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <SpokeProvider spoke={spoke}>
      <App />
    </SpokeProvider>
  </StrictMode>,
)
