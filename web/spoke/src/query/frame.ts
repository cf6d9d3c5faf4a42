import { notifyManager } from '@tanstack/query-core'
import { guarded } from '../reporting.js'

/** A page that nobody sees has no frames, and one that is about to be hidden may not get its next. */
const latestMs = 100

/** What is due, and whom to tell if it fails. */
const due = new Map<() => void, (error: unknown) => void>()
let frame = 0
let timer: ReturnType<typeof setTimeout> | undefined

/** Calls back with all others before the next frame; at once where there are none. What renders is told once. */
export function beforeFrame(f: () => void, report: (error: unknown) => void): void {
  due.set(f, report)
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
    for (const [f, report] of all) guarded(f, report)
  })
}
