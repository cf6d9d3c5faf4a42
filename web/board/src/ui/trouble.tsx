import { useState } from 'react'
import { api } from '../api.js'
import { online, switchNetwork } from '../network.js'
import { notify } from '../notices.js'
import { useStore } from '../store.js'
import { useWorkplace } from '../workplace.js'

const slowMs = 800
const awaySeconds = 5

/** The corner in which one may break things, to see that nothing is lost. */
export function Trouble() {
  const { track } = useWorkplace()
  const isOnline = useStore(online)
  const [switchedOff, setSwitchedOff] = useState(false)
  const [slow, setSlow] = useState(false)

  const make = async (what: string, body: object, said: string) => {
    track(`trouble ${what}`)
    try {
      await api('POST', `trouble/${what}`, body)
      notify(said)
      return true
    } catch (error) {
      notify(`That could not be done: ${error instanceof Error ? error.message : error}`)
      return false
    }
  }
  const toggleSwitch = async () => {
    const off = !switchedOff
    const said = off ? 'Live delivery is switched off for everybody' : 'Live delivery is switched on again'
    if (await make('switch', { sse: off ? 'off' : 'on' }, said)) setSwitchedOff(off)
  }
  const toggleSlow = async () => {
    const ms = slow ? 0 : slowMs
    const said = ms ? `Every answer takes ${ms} ms longer now` : 'Answers come as fast as they can again'
    if (await make('slow', { ms }, said)) setSlow(!slow)
  }

  return (
    <details
      className="trouble"
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
        <button type="button" aria-pressed={switchedOff} onClick={() => void toggleSwitch()}>
          Switch live delivery {switchedOff ? 'on' : 'off'}
        </button>
        <button type="button" aria-pressed={slow} onClick={() => void toggleSlow()}>
          {slow ? 'End the slow network' : 'Slow network'}
        </button>
        <button type="button" aria-pressed={!isOnline} onClick={() => switchNetwork(!isOnline)}>
          {isOnline ? 'Go offline' : 'Go online'}
        </button>
      </div>
    </details>
  )
}
