import { expect, test } from 'vitest'
import { plain, told } from '../../src/told.js'

test('every second part of a sentence is by people, of two that are joined as well', () => {
  const [title, by] = ['Sign in', 'Ben']
  const joined = [...told`“${title}”: merged with ${by}’s change`, ...told`. You wrote: “${title}”`]
  expect(joined.filter((_, i) => i % 2 === 1)).toEqual([title, by, '', title, ''])
  expect(joined.join('')).toBe('“Sign in”: merged with Ben’s change. You wrote: “Sign in”')
})

test('what would turn the direction of other words is taken out of people’s, and nothing else', () => {
  expect(plain('\u2069\u202egnol\u202c oot \u2066x\u2067y\u2068z\u202a\u202b\u202d')).toBe('gnol oot xyz')
  for (const words of ['שלום, Ada', 'a\u200fb\u200e', '👩\u200d💻']) expect(plain(words)).toBe(words)
  expect(plain('two\r\nlines\u0000')).toBe('two lines ')
})
