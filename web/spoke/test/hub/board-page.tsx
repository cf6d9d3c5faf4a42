// A page of React over a live state and an outbox.
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createSpoke } from '../../src/index.js'
import { createOutbox } from '../../src/outbox/index.js'
import { useLiveState, useOutbox } from '../../src/react/index.js'
import { liveState, rebase } from '../../src/state/index.js'

type Card = { title: string }
type Events = { card: Card }

const spoke = createSpoke<Events>({ url: new URLSearchParams(location.search).get('hub') ?? '' })
const outbox = createOutbox<Events>(spoke, { identity: 'react', conflict: rebase<Events, Card>() })

/** All that has been rendered: topic, keys, titles. */
const rendered: string[] = []

function Cards({ topic }: { topic: string }) {
  const { items, ready, update } = useLiveState(
    () => liveState<Card, Events>(spoke, { topic, type: 'card', outbox }),
    topic,
  )
  const text = [...items]
    .map(([key, { data, pending }]) => `${key} ${data.title}${pending ? ' pending' : ''}`)
    .join(', ')
  rendered.push(`${topic}: ${text}`)
  const add = () => void update('mine', (card) => ({ title: `${card?.title ?? ''}+` }))
  return (
    <section>
      <p id="ready">{ready ? 'ready' : 'not ready'}</p>
      <p id="cards">{text}</p>
      <button type="button" id="add" onClick={add}>
        add
      </button>
    </section>
  )
}

function App() {
  const [topic, go] = useState('r/1')
  const { items, durability } = useOutbox(outbox)
  return (
    <>
      <p id="waiting">
        {items.length} {durability}
      </p>
      {['r/1', 'r/2'].map((to) => (
        <button type="button" key={to} id={to.replace('/', '-')} onClick={() => go(to)}>
          {to}
        </button>
      ))}
      <Cards topic={topic} />
    </>
  )
}

Object.assign(globalThis, { seen: {}, rendered })
createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
