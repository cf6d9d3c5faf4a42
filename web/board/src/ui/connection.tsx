import { useState } from 'react'
import { heard, streams } from '../costs.js'
import { meter } from '../meter.js'
import type { Mode } from '../model.js'
import { clock } from '../network.js'
import { useStore } from '../store.js'
import { span } from '../words.js'
import { useWorkplace } from '../workplace.js'
import { age, aMinute, shortest } from './costs.js'
import { useWords } from './header.js'
import { Pressed } from './pressed.js'
import { useSeconds } from './seconds.js'

/** How the page is connected, and what that costs. */
export function Connection() {
  const { mode, spoke } = useWorkplace()
  const words = useWords()
  const open = useStore(streams)
  useSeconds(1)
  const [, look] = useState({})
  const measureAnew = () => {
    meter.anew()
    look({})
  }
  const state = spoke?.state
  const isHeard = state?.name === 'live' || state?.name === 'polling'
  return (
    <section className="connection" aria-label="Connection">
      <h2>Connection</h2>
      <p className={`chip ${words.tone}`}>{words.title}</p>
      <p>{words.detail}</p>
      <dl>
        {mode === 'live' && (
          <>
            <dt>Stream</dt>
            <dd>
              {open > 0
                ? 'this tab has it, for all tabs'
                : state?.name === 'live'
                  ? 'another tab has it, for all'
                  : 'none'}
            </dd>
            <dt>The hub’s load</dt>
            <dd>{isHeard ? state.memory.level : 'not known now'}</dd>
          </>
        )}
        <dt>The server was heard</dt>
        <dd>{span(performance.now() - heard.value)} ago</dd>
      </dl>
      <p className="fine">
        The <a href="/dashboard">hub’s dashboard</a> shows the other side.
      </p>
      <h2>What each mode costs</h2>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col" aria-current={mode === 'polling'}>
              Polling
            </th>
            <th scope="col" aria-current={mode === 'live'}>
              Live
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, cell }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{cell('polling')}</td>
              <td>{cell('live')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="fine">
        <button type="button" className="quiet" onClick={measureAnew}>
          Measure anew
        </button>
      </p>
      <details className="fine">
        <summary>What these figures are</summary>
        <p>
          Data is at most as old as the answer that brought it, or live as what the stream said last: if nothing has
          changed, it says so every 15 s.
        </p>
        <p>
          The age of a change is how long after the server had it somebody else’s change came onto this screen, give or
          take {span(clock.doubt)}. Costs are this tab’s, from 5 s after the mode was switched on: all that is answered,
          and what is sent without its headers, which no page can see. What you change and every reconnection count as
          well, but not the trouble corner’s own requests.
        </p>
      </details>
      <Pressed />
    </section>
  )
}

const rows: readonly { label: string; cell: (mode: Mode) => string }[] = [
  { label: 'Requests a minute', cell: (mode) => aMinute(mode, meter.tallies[mode].requests) },
  { label: 'kB a minute', cell: (mode) => aMinute(mode, meter.tallies[mode].bytes / 1_000) },
  { label: 'Age of changes, median', cell: (mode) => age(mode, 0.5) },
  { label: 'Age of changes, p99', cell: (mode) => age(mode, 0.99) },
  { label: 'Data at most this old', cell: (mode) => shortest(meter.tallies[mode].behind.quantile(1)) },
  { label: 'Changes seen', cell: (mode) => String(meter.tallies[mode].ages.count) },
  { label: 'Measured for', cell: (mode) => (meter.tallies[mode].ms > 0 ? span(meter.tallies[mode].ms) : '–') },
]
