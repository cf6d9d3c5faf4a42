import { expect, test, vi } from 'vitest'
import { HubError } from '../../src/problem.js'
import { Tokens } from '../../src/tokens.js'

test('a token is asked for once, however many need it', async () => {
  const source = vi.fn(async () => 'one')
  const tokens = new Tokens(source)
  expect(await Promise.all([tokens.get(), tokens.get(), tokens.get()])).toEqual(['one', 'one', 'one'])
  expect(source).toHaveBeenCalledExactlyOnceWith('first')
})

test('of those that had the same token refused, one has it replaced', async () => {
  let n = 0
  const source = vi.fn(() => `t${++n}`)
  const tokens = new Tokens(source)
  const [a, b] = [await tokens.get(), await tokens.get()]
  tokens.drop(a, 'refused')
  expect(await tokens.get()).toBe('t2')
  tokens.drop(b, 'refused')
  expect(await tokens.get()).toBe('t2')
  expect(source.mock.calls).toEqual([['first'], ['refused']])
})

test('no token is never taken for anonymous', async () => {
  await expect(new Tokens(() => null).get()).rejects.toThrow(HubError)
  expect(await new Tokens(undefined).get()).toBeUndefined()
})

test('what no header can have is no token', async () => {
  await expect(new Tokens(() => 'a.b.c\n').get()).rejects.toMatchObject({ code: 'unauthorised' })
})

test('a source that never answers is given up, and may be asked again', async () => {
  vi.useFakeTimers()
  let answer = (): Promise<string> => new Promise(() => {})
  const tokens = new Tokens(() => answer())
  const first = expect(tokens.get()).rejects.toThrow('no token came')
  await vi.advanceTimersByTimeAsync(30_000)
  await first
  answer = async () => 'late'
  expect(await tokens.get()).toBe('late')
  vi.useRealTimers()
})
