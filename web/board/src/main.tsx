import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Refused } from './api.js'
import { settleClock } from './network.js'
import { App } from './ui/app.js'
import { askWho, followTabs } from './who.js'

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError(error) {
      if (error instanceof Refused && error.status === 401) void askWho(client)
    },
  }),
})

followTabs(client)

// Without it ages are known less well, and all else is as it is.
settleClock().catch(() => {})

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
