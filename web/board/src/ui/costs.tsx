import { meter } from '../meter.js'
import type { Mode } from '../model.js'
import { span } from '../words.js'
import { useWorkplace } from '../workplace.js'
import { useSeconds } from './seconds.js'

/** Less than this says nothing about a minute. */
const leastMs = 5_000

/** In one line, what the page costs as it is connected now. */
export function Costs() {
  const { mode } = useWorkplace()
  useSeconds(1)
  const { ms, requests, ages } = meter.tallies[mode]
  if (ms < leastMs) return null
  return (
    <p className="costs">
      {aMinute(mode, requests)} requests a minute{ages.count > 0 && `, changes seen after ${age(mode, 0.5)}`}
    </p>
  )
}

export function aMinute(mode: Mode, count: number): string {
  const { ms } = meter.tallies[mode]
  return ms < leastMs ? '–' : ((count * 60_000) / ms).toFixed(1)
}

export function age(mode: Mode, share: number): string {
  return shortest(meter.tallies[mode].ages.quantile(share))
}

export function shortest(ms: number | undefined): string {
  return ms === undefined ? '–' : span(ms)
}
