// Who is signed in is a matter of the browser, which has one cookie: all its tabs are to show the same.
import type { QueryClient } from '@tanstack/react-query'
import type { User } from './model.js'
import { keys } from './queries.js'

const tabs = new BroadcastChannel('board who')

/** Follows what other tabs say: somebody has signed in there, or out. */
export function followTabs(client: QueryClient): void {
  tabs.onmessage = () => void askWho(client)
}

/** Asks anew who is signed in. If there is no answer, all stays as it is. */
export async function askWho(client: QueryClient): Promise<void> {
  await client.refetchQueries({ queryKey: keys.me })
  if (client.getQueryData(keys.me) === null) forget(client)
}

/** Somebody has signed in here, or, with null, out. */
export function setWho(client: QueryClient, user: User | null): void {
  client.setQueryData(keys.me, user)
  if (user === null) forget(client)
  tabs.postMessage(null)
}

/** The next who signs in here is shown nothing of what the one before saw. */
function forget(client: QueryClient): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] && queryKey[0] !== keys.users[0] })
}
