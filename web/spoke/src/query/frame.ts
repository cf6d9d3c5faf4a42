import { notifyManager } from '@tanstack/query-core'
import { guarded } from '../reporting.js'

/** A page that nobody sees has no frames, and one that is about to be hidden may not get its next. */
const latestMs = 100

const due = new Set<() => void>()
let frame = 0
let timer: ReturnType<typeof setTimeout> | undefined

/** Calls back with all others before the next frame; at once where there are none. What renders is told once. */
export function beforeFrame(f: () => void): void {
  due.add(f)
  if (due.size > 1) return
  if (typeof document === 'undefined' || document.visibilityState === 'hidden') return queueMicrotask(run)
  frame = requestAnimationFrame(run)
  timer = setTimeout(run, latestMs)
}

function run(): void {
  if (timer !== undefined) cancelAnimationFrame(frame)
  clearTimeout(timer)
  timer = undefined
  const all = [...due]
  due.clear()
  notifyManager.batch(() => {
    for (const f of all) guarded(f)
  })
}
