import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { launch } from '../../figures/browser.js'
import { type Load, type Measured, measure } from '../../figures/measure.js'
import type { Asked } from '../../figures/tab.js'

// What make board-figures measures, in half a minute, by counts and not by times: that
// the people without a browser ask for what a real tab asks for, and what a tab costs.

let browser: Browser
let polling: Measured
let live: Measured

beforeAll(async () => {
  browser = await launch()
  const place = { program: inject('program'), page: 'dist', browser }
  const load = { hub: true, tabs: 1, others: 2, changesASecond: 0.5, seconds: 30, warmUp: 1, settle: 5, ownMoves: 0 }
  const half = (mode: Load['mode']) => measure(place, { ...load, mode })
  ;[polling, live] = await Promise.all([half('polling'), half('live')])
}, 120_000)
afterAll(() => browser.close())

function counts(asked: readonly Asked[] | undefined): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { method, path } of asked ?? []) found[`${method} ${path}`] = (found[`${method} ${path}`] ?? 0) + 1
  return found
}

test('a tab that polls asks for what such pages ask for, and the others ask for the same', () => {
  const found = counts(polling.asked[0])
  expect(Object.keys(found).sort()).toEqual([
    'GET /api/boards/main',
    'GET /api/conversations',
    'POST /api/sessions/heartbeat',
  ])
  for (const each of [polling.asked[0]?.length, ...polling.requests]) {
    expect(each).toBeGreaterThanOrEqual(3) // 5, but for those at the edges of half a minute
    expect(each).toBeLessThanOrEqual(7)
  }
})

test('a live tab asks for next to nothing, and has every change', () => {
  expect(live.asked[0]?.length).toBeLessThanOrEqual(2)
  expect(live.changes).toBeGreaterThanOrEqual(10)
  expect(live.failed).toBe(0)
  expect(live.ages.filter((age) => !Number.isFinite(age))).toEqual([])
  expect(live.shown.length).toBeGreaterThan(0)
})

test('the people without a browser are sent what a live tab is sent', () => {
  const [tab] = live.received
  for (const other of live.othersReceived) expect(other / (tab ?? 0)).toBeCloseTo(1, 0.5)
})
