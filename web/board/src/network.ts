// The network as this page has it: every request goes through pageFetch, which has
// it counted, learns the server's time from it, and fails while the trouble corner says so.
import { Clock } from './clock.js'
import { answered, asked, spare } from './costs.js'
import { Store } from './store.js'

/** Whether the trouble corner lets requests through. */
export const online: Store<boolean> = new Store(true)
export const clock: Clock = new Clock()

/** All tabs of this browser go offline together, as with a cable. */
const cable = new BroadcastChannel('board cable')
cable.onmessage = ({ data }) => {
  if (data !== 'how is it?') plug(data === true)
  else if (!online.value) cable.postMessage(false)
}
cable.postMessage('how is it?')

let cut = new AbortController()

export async function pageFetch(url: string, init: RequestInit = {}): Promise<Response> {
  // What breaks things is no mode's cost.
  const isTrouble = url.startsWith('/api/trouble')
  if (isTrouble) spare(new URL(url, location.href).href)
  else if (online.value) asked(url, init)
  const response = await timedFetch(url, init)
  return isTrouble ? response : answered(response)
}

/** Fetches while there is a network, and learns the server's time. */
async function timedFetch(url: string, init: RequestInit): Promise<Response> {
  if (!online.value) throw new TypeError('the network is switched off in the trouble corner')
  const sent = Date.now()
  const signal = init.signal ? AbortSignal.any([cut.signal, init.signal]) : cut.signal
  const response = await fetch(url, { ...init, signal })
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (Number.isFinite(date)) clock.learn(date, sent, Date.now())
  return response
}

/** Finds the server's time out, at no mode's cost. */
export function settleClock(): Promise<void> {
  const url = new URL('/?clock', location.href).href
  spare(url)
  return clock.settle(async () => {
    await timedFetch(url, { method: 'HEAD', cache: 'no-store' })
  })
}

/** Pulls the plug, or puts it in again: for all tabs of this browser. */
export function switchNetwork(on: boolean): void {
  cable.postMessage(on)
  plug(on)
}

function plug(on: boolean): void {
  if (on === online.value) return
  online.set(on)
  if (!on) cut.abort(new TypeError('the network was switched off in the trouble corner'))
  else cut = new AbortController()
  window.dispatchEvent(new Event(on ? 'online' : 'offline'))
}
