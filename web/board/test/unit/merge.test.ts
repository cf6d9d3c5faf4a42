import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { difference, fieldNames, merge } from '../../src/merge.js'
import type { Fields } from '../../src/model.js'

const base: Fields = { title: 'Ship it', text: 'Soon', assignee: null }

test('what only one has changed is kept', () => {
  const both = merge(base, { title: 'Ship it on Monday' }, { ...base, text: 'Very soon', assignee: 'ben' })
  expect(both).toEqual({ changes: { title: 'Ship it on Monday' }, theirs: ['text', 'assignee'], conflicts: [] })
})

test('what both have changed is a conflict, and ours is not lost', () => {
  const both = merge(base, { title: 'Mine', assignee: 'ada' }, { ...base, title: 'Theirs' })
  expect(both).toEqual({ changes: { title: 'Mine', assignee: 'ada' }, theirs: [], conflicts: ['title'] })
})

test('who wants the same agrees', () => {
  expect(merge(base, { assignee: 'ben' }, { ...base, assignee: 'ben' })).toEqual({
    changes: {},
    theirs: [],
    conflicts: [],
  })
})

test('nobody is an assignee like others', () => {
  const assigned = { ...base, assignee: 'ada' }
  expect(merge(assigned, { assignee: null }, { ...assigned, assignee: 'ben' }).conflicts).toEqual(['assignee'])
  expect(difference(assigned, base)).toEqual({ assignee: null })
})

const fields: fc.Arbitrary<Fields> = fc.record({
  title: fc.constantFrom('a', 'b', 'c'),
  text: fc.constantFrom('', 'x', 'y'),
  assignee: fc.constantFrom(null, 'ada', 'ben'),
})

test('whatever the three are, nothing of theirs is overwritten that is not called a conflict', () => {
  fc.assert(
    fc.property(fields, fields, fields, (before, mine, theirs) => {
      const { changes, conflicts } = merge(before, difference(before, mine), theirs)
      const after = { ...theirs, ...changes }
      for (const name of fieldNames) {
        const [was, m, t] = [before[name], mine[name], theirs[name]]
        if (m !== was && t !== was && m !== t) expect(conflicts).toContain(name)
        else expect(after[name]).toBe(m === was ? t : m)
      }
    }),
  )
})
