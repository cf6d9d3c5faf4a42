import { useQuery } from '@tanstack/react-query'
import * as queries from '../queries.js'

const most = 6
const prefix = 'button.clicked/'

/** Which buttons people press, as an actor of the hub counts what their pages say. */
export function Pressed() {
  const { data = {}, refetch } = useQuery(queries.analytics)
  const buttons = Object.entries(data)
    .filter(([name]) => name.startsWith(prefix))
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
  return (
    <>
      <h2>What people press</h2>
      <dl aria-label="What people press">
        {buttons.map(([name, count]) => (
          <div key={name}>
            <dt>{name.slice(prefix.length)}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <p className="fine">
        {buttons.length === 0 ? 'Nothing yet. ' : ''}Events that nobody stores, counted by an actor in the hub.{' '}
        <button type="button" className="quiet" onClick={() => void refetch()}>
          Count again
        </button>
      </p>
    </>
  )
}
