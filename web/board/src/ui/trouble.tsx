import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { api } from '../api.js'
import { online, switchNetwork } from '../network.js'
import { notify } from '../notices.js'
import { keys, trouble } from '../queries.js'
import { useStore } from '../store.js'
import { useWorkplace } from '../workplace.js'

const slowMs = 800
const awaySeconds = 5

/** The trouble that lasts. */
export function useTrouble() {
  const { spoke } = useWorkplace()
  const level = useSyncExternalStore(
    (changed) => spoke?.watch(changed) ?? (() => {}),
    () => spoke?.state.memory.level,
  )
  return useQuery(trouble(level))
}

/** The corner in which one may break things, to see that nothing is lost. */
export function Trouble() {
  const { track } = useWorkplace()
  const client = useQueryClient()
  const isOnline = useStore(online)
  const { data, refetch } = useTrouble()
  const switchedOff = data?.sse === 'off'
  const slow = (data?.slow ?? 0) > 0

  const make = async (what: string, body: object, said: string) => {
    track(`trouble ${what}`)
    try {
      await api('POST', `trouble/${what}`, body)
      notify(said)
      await client.invalidateQueries({ queryKey: keys.trouble })
    } catch (error) {
      notify(`That could not be done: ${error instanceof Error ? error.message : error}`)
    }
  }
  const toggleSwitch = () => {
    const off = !switchedOff
    const said = off ? 'Live delivery is switched off for everybody' : 'Live delivery is switched on again'
    void make('switch', { sse: off ? 'off' : 'on' }, said)
  }
  const toggleSlow = () => {
    const ms = slow ? 0 : slowMs
    const said = ms ? `Every request takes ${ms} ms longer now` : 'Answers come as fast as they can again'
    void make('slow', { ms }, said)
  }

  return (
    <details
      className="trouble"
      onToggle={(event) => event.currentTarget.open && void refetch()}
      onKeyDown={(event) => {
        if (event.key === 'Escape') event.currentTarget.open = false
      }}
    >
      <summary>Trouble</summary>
      <div className="troubles">
        <p className="fine">Break something. Nothing that you write is lost.</p>
        <button
          type="button"
          onClick={() => void make('hub', { seconds: awaySeconds }, `The hub is gone for ${awaySeconds} s`)}
        >
          Kill the hub for {awaySeconds} s
        </button>
        <button type="button" aria-pressed={switchedOff} disabled={!data} onClick={toggleSwitch}>
          Switch live delivery {switchedOff ? 'on' : 'off'}
        </button>
        <button type="button" aria-pressed={slow} disabled={!data} onClick={toggleSlow}>
          {slow ? 'End the slow network' : 'Slow network'}
        </button>
        <button type="button" aria-pressed={!isOnline} onClick={() => switchNetwork(!isOnline)}>
          {isOnline ? 'Go offline' : 'Go online'}
        </button>
      </div>
    </details>
  )
}
