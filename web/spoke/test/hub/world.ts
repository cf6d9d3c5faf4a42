import { afterAll, beforeEach } from 'vitest'
import { Site } from './browser.js'
import { Hub } from './hub.js'
import { FaultyProxy } from './proxy.js'

/** A hub, a browser, and a line between them that may be bad: for all tests of a file, each of which begins with a good one. */
export async function world(options?: Parameters<typeof Hub.start>[0]) {
  const ends: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const end of ends.reverse()) await end()
  })
  const hub = await Hub.start(options)
  ends.push(() => hub.stop())
  const proxy = await FaultyProxy.start(hub.port)
  ends.push(() => proxy.stop())
  const site = await Site.start()
  ends.push(() => site.stop())
  beforeEach(async () => {
    await proxy.set()
    await site.fresh()
  })
  return { hub, proxy, site }
}
