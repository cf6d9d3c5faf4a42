import { expect, test } from 'vitest'
import { matches } from '../../src/filter.js'

// As the hub's own TestFilterMatch has it.
test.each([
  ['cards/1', ['cards/1'], ['cards', 'cards/2', 'cards/1/a', 'Cards/1', 'cards/11']],
  ['cards/*', ['cards/1', 'cards/é', 'cards/$x'], ['cards', 'cards/1/2', 'card/1', 'cardss/1']],
  ['*/1', ['cards/1', 'users/1'], ['1', 'cards/2', 'a/cards/1', '$hub/1']],
  ['*', ['cards'], ['cards/1', '$hub']],
  ['*/*', ['cards/1'], ['cards', 'cards/1/2', '$hub/1']],
  ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c', 'a/b/c/d']],
  ['cards/**', ['cards/1', 'cards/1/2/3'], ['cards', 'cardss/1']],
  ['cards/*/**', ['cards/1/2', 'cards/1/2/3'], ['cards', 'cards/1']],
  ['**', ['cards', 'cards/1/2'], ['$hub', '$hub/a']],
  ['*/**', ['cards/1', 'cards/1/2'], ['cards', '$hub/a']],
  ['$hub/**', ['$hub/a'], ['$hub', 'hub/a']],
  ['$hub/*', ['$hub/a'], ['$other/a']],
])('%s', (filter, yes, no) => {
  for (const topic of yes) expect(matches(filter, topic), topic).toBe(true)
  for (const topic of no) expect(matches(filter, topic), topic).toBe(false)
})
