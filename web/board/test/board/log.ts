// The hub's log, read as anybody may who has signed in.
import type { Office } from './office.js'

export interface LoggedEvent {
  readonly topic: string
  readonly type: string
  readonly key: string
  readonly offset: number
  readonly batch?: { readonly i: number; readonly n: number }
  readonly data?: unknown
}

interface State {
  readonly items: readonly {
    readonly topic: string
    readonly key: string
    readonly type: string
    readonly data?: unknown
  }[]
}

const filters = new URLSearchParams(['cards/**', 'users/**', 'conversations/**'].map((filter) => ['topic', filter]))

/** All batches since the log began, in their order. */
export async function wholeLog(office: Office): Promise<LoggedEvent[][]> {
  const ask = await reader(office)
  const { cursor: head } = await ask<{ cursor: string }>(`/v1/events?${filters}`)
  const batches: LoggedEvent[][] = []
  let cursor = `${head.split('-')[0]}-0`
  for (;;) {
    const page = await ask<{ cursor: string; sync: { status: string; reason?: string }; events: LoggedEvent[] }>(
      `/v1/events?${filters}&cursor=${cursor}`,
    )
    if (page.sync.status === 'reset') throw new Error(`the log cannot be read from its start: ${page.sync.reason}`)
    for (const event of page.events) {
      if ((event.batch?.i ?? 0) === 0) batches.push([])
      batches.at(-1)?.push(event)
    }
    if (page.events.length === 0) return batches
    cursor = page.cursor
  }
}

/** The latest event of each key. */
export async function wholeState(office: Office): Promise<State['items']> {
  const ask = await reader(office)
  return (await ask<State>(`/v1/state?${filters}`)).items
}

async function reader({ url }: Office) {
  const signedIn = await fetch(`${url}/api/sign-in`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user: 'eva' }),
  })
  const cookie = signedIn.headers.get('Set-Cookie')?.split(';')[0] ?? ''
  const answer = await fetch(`${url}/api/token`, { headers: { Cookie: cookie } })
  const { token } = (await answer.json()) as { token: string }
  return async <T>(path: string): Promise<T> => {
    const response = await fetch(url + path, {
      headers: { Accept: 'application/json', Authorization: `Bearer ${token}` },
    })
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
}
