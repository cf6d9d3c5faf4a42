import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSpoke } from '../../src/index.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** How often an event is sent while something else than a hub answers, and what becomes of that. */
async function publish(status: number): Promise<{ sent: number; error: string }> {
  let sent = 0
  const fetch = async () => {
    sent++
    return new Response('<h1>nginx', { status, headers: { 'Content-Type': 'text/html' } })
  }
  const spoke = createSpoke({ url: 'https://hub.example', fetch })
  const publishing = spoke.publish({ topic: 't', type: 't' }, { patienceMs: 5_000 }).catch(String)
  await vi.advanceTimersByTimeAsync(10_000)
  const error = await publishing
  spoke.close()
  return { sent, error: String(error) }
}

test.each([400, 413])('what a proxy refuses for what is in it is not sent again: %i', async (status) => {
  const { sent, error } = await publish(status)
  expect(sent).toBe(1)
  expect(error).toContain(`answers ${status} text/html, which is no hub's`)
})

test.each([403, 404, 429, 502, 520])('what a proxy answers otherwise may pass: %i', async (status) => {
  expect((await publish(status)).sent).toBeGreaterThan(2)
})
