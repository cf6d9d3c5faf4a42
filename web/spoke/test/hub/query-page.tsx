// A page of React and TanStack Query. Its data is the hub's state, asked for as an
// application asks its server.
import {
  type DehydratedState,
  HydrationBoundary,
  QueryClient,
  QueryClientProvider,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  useSuspenseQuery,
} from '@tanstack/react-query'
import { StrictMode, Suspense, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createSpoke } from '../../src/index.js'
import { liveQueries, liveQuery, whileSilent } from '../../src/query/index.js'
import { SpokeProvider } from '../../src/react/index.js'
import { useBindQueries } from '../../src/react/query.js'
import { type Cards, change, fetchCards } from './cards.js'

declare global {
  /** How often each was fetched. */
  var fetches: Record<string, number>
  var dehydrated: DehydratedState | undefined
}

const asked = new URLSearchParams(location.search)
const hub = asked.get('hub') ?? ''
const cursor = asked.get('cursor')
const spoke = createSpoke<{ [type: string]: string }>({ url: hub, ...(cursor !== null && { cursor }) })
const client = new QueryClient()
liveQueries(client, spoke)
globalThis.fetches = {}

const load = (name: string, topic: string) => () => {
  globalThis.fetches[name] = (globalThis.fetches[name] ?? 0) + 1
  return fetchCards(hub, topic)
}

const cards = (name: string, topic = 'cards/1') =>
  liveQuery(
    spoke,
    { queryKey: [name, topic], queryFn: load(name, topic), refetchInterval: 300 },
    { filters: topic, apply: change, cursorOf: ({ cursor }: Cards) => cursor },
  )

const text = (shown: Cards | undefined) => shown?.cards.map(({ title }) => title).join(' ')

function Plain() {
  return <p id="plain">{text(useQuery(cards('plain')).data)}</p>
}

function Suspending() {
  return <p id="suspending">{text(useSuspenseQuery(cards('suspending')).data)}</p>
}

const pages = liveQuery(
  spoke,
  {
    queryKey: ['pages'],
    queryFn: load('pages', 'cards/1'),
    initialPageParam: 0,
    getNextPageParam: () => null,
  },
  {
    filters: 'cards/1',
    apply: (data, event) => ({ ...data, pages: data.pages.map((page) => change(page, event)) }),
  },
)

function Pages() {
  return <p id="pages">{useInfiniteQuery(pages).data?.pages.map(text).join(' ')}</p>
}

function Other() {
  const { data } = useQuery({
    queryKey: ['other'],
    queryFn: load('other', 'cards/1'),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return <p id="other">{text(data)}</p>
}

function Bound() {
  useBindQueries<{ [type: string]: string }, Cards>(useQueryClient(), {
    filters: 'cards/1',
    queryKey: ['bound'],
    apply: change,
  })
  const { data } = useQuery({
    queryKey: ['bound', 1],
    queryFn: load('bound', 'cards/1'),
    refetchInterval: whileSilent(spoke, 60_000),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return <p id="bound">{text(data)}</p>
}

function Many() {
  return Array.from({ length: 50 }, (_, i) => <One key={String(i)} name={`many ${i}`} />)
}

function One({ name }: { name: string }) {
  return <i className="one">{text(useQuery(cards(name)).data)}</i>
}

const shows = {
  all: () => (
    <>
      <Plain />
      <Suspense>
        <Suspending />
      </Suspense>
      <Pages />
      <Other />
    </>
  ),
  bound: Bound,
  many: Many,
  hydrated: () => (
    <HydrationBoundary state={globalThis.dehydrated}>
      <Plain />
    </HydrationBoundary>
  ),
}

function App() {
  const [shown, show] = useState(true)
  const name = asked.get('show')
  const What = shows[name === 'bound' || name === 'many' || name === 'hydrated' ? name : 'all']
  return (
    <>
      <button type="button" id="hide" onClick={() => show(false)}>
        hide
      </button>
      {shown && <What />}
    </>
  )
}

createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <SpokeProvider spoke={spoke}>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </SpokeProvider>
  </StrictMode>,
)
Object.assign(globalThis, { seen: {}, spoke })
