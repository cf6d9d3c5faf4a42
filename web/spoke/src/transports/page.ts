import { type Http, isType } from '../http.js'
import { type Failure, failureOf, failureOfThrown } from '../problem.js'
import type { Page } from '../wire.js'
import { parametersOf, type Wish } from './transport.js'

/** How long a page is waited for; proxies give up after 30 seconds and more. */
const waitS = 25
/** How much longer than that an answer may take. */
const graceMs = 10_000

/** Asks for one page, and returns what calls it off: then nothing is heard. */
export function askPage(
  http: Http,
  wish: Wish,
  wait: boolean,
  sink: { page(page: Page): void; noPage(failure: Failure): void },
): () => void {
  const calling = new AbortController()
  const { signal } = calling
  const parameters = parametersOf(wish)
  const waits = wait && wish.cursor !== undefined
  if (waits) parameters.push(['wait', `${waitS}s`])
  http
    .send(http.url('events', parameters), { signal, withinMs: graceMs + (waits ? waitS * 1000 : 0) })
    .then(read)
    .catch(failureOfThrown)
    .then((answer) => {
      if (signal.aborted) return
      if ('kind' in answer) sink.noPage(answer)
      else sink.page(answer)
    })
  return () => calling.abort()
}

async function read(response: Response): Promise<Page | Failure> {
  if (!response.ok || !isType(response, 'application/json')) return failureOf(response)
  const page = (await response.json()) as Partial<Page>
  if (typeof page.cursor === 'string' && Array.isArray(page.events) && page.sync !== undefined) return page as Page
  return { kind: 'foreign', status: response.status, message: `${response.url} answers JSON that is no page` }
}
