import type { Memory } from './state.js'

/** hub.sync must come so soon after the request. */
export const proofMs = 5_000
/** A stream that has lasted so long has worked: those before it are forgotten. */
export const steadyMs = 10_000
/** How often an offline browser is not believed. */
export const offlineMs = 60_000
/** A page that comes sooner than this was not waited for. */
export const promptMs = 1_000
/** Pages follow each other so soon at most, however busy the topics. */
export const gapMs = 250
/** How long a disabled spoke waits if the hub does not say. */
export const disabledMs = 30_000
/** Over how long those are spread who come back when the level does. */
export const returnMs = 2_000

const retryCapMs = 30_000
const pollMs = 5_000
const hiddenPollFactor = 6
const probeMs = 15_000
const probeCapMs = 300_000

/** The pause before the next stream: it doubles, and half of it is luck. */
export function retryDelay(memory: Memory, luck: number, floorMs = 0): number {
  const base = Math.max(memory.retryMs, 500) * 2 ** Math.min(memory.attempts - 1, 10)
  const ms = Math.min(base, Math.max(retryCapMs, memory.retryMs))
  const spread = (ms / 2) * (1 + luck)
  return floorMs > 0 ? floorMs + (spread - ms / 2) : spread
}

/** The pause before the next page, when pages are not waited for. */
export function pollDelay(memory: Memory, luck: number, failures = 0): number {
  const ms = pollMs * 2 ** Math.min(failures, 3) * (memory.visible ? 1 : hiddenPollFactor)
  return ms * (0.8 + 0.4 * luck)
}

/** The pause before a stream is tried again while polling. */
export function probeDelay(probes: number, luck: number): number {
  return Math.min(probeMs * 2 ** Math.min(probes, 10), probeCapMs) * (0.8 + 0.4 * luck)
}

/** A live stream that is silent for so long is dead. */
export function watchdogMs(memory: Memory): number {
  return 2.5 * memory.heartbeatMs + 2_000
}
