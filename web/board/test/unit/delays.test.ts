import { expect, test } from 'vitest'
import { arrivalsOf, type Change, delays } from '../../figures/delays.js'

const change = (rev: number, sent: number, rest: Partial<Change> = {}): Change => ({
  card: 'a',
  title: `a ${rev}`,
  column: 'todo',
  rev,
  sent,
  at: sent + 5,
  ...rest,
})

test('a change has come when it or a newer one of its card is there, and else never', () => {
  const changes = [change(2, 100), change(3, 200), change(2, 100, { card: 'b' }), change(4, 300)]
  const arrivals = [
    { card: 'a', rev: 1, at: 90 },
    { card: 'a', rev: 3, at: 250 },
    { card: 'b', rev: 2, at: 110 },
  ]
  expect(delays(changes, arrivals, 'sent')).toEqual([150, 50, 10, Number.POSITIVE_INFINITY])
  expect(delays(changes, arrivals, 'at')).toEqual([145, 45, 5, Number.POSITIVE_INFINITY])
})

test('what is seen is the last change that made it look so', () => {
  const changes = [
    change(2, 100, { title: 'a', column: 'doing' }),
    change(3, 200, { title: 'a', column: 'todo' }),
    change(4, 300, { title: 'a', column: 'doing' }),
  ]
  const sight = (column: string, at: number) => ({ card: 'a', title: 'a', column, at })
  expect(
    arrivalsOf([sight('todo', 50), sight('doing', 150), sight('todo', 210), sight('doing', 310)], changes),
  ).toEqual([
    { card: 'a', rev: 2, at: 150 },
    { card: 'a', rev: 3, at: 210 },
    { card: 'a', rev: 4, at: 310 },
  ])
})
