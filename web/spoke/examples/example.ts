// What docs/spoke.md shows, run by test/hub/docs.test.ts.
import { ConflictError, createSpoke } from '@nave/spoke'
import { shareTabs } from '@nave/spoke/tabs'
import { edit, editOffline, keep } from './edits.js'
import { follow } from './live.js'
import { followPeople } from './session.js'

const hub = new URLSearchParams(location.search).get('hub') ?? ''
const user = { id: 'alice' }

declare global {
  var loads: number
  var shown: string[]
}
globalThis.loads = 0
globalThis.shown = []

async function load(): Promise<void> {
  await fetch(location.href) // where the application has its cards from
  globalThis.loads++
}

const live = () => follow(hub, load)

const people = () => followPeople(hub, user)

const show = (text: string) => globalThis.shown.push(text)

type Events = {
  'card.moved': { column: string }
  'card.renamed': { title: string }
}

async function typed(): Promise<void> {
  const spoke = createSpoke<Events>({ url: hub, tabs: shareTabs({ identity: user.id }) })

  spoke.subscribe(
    'cards/*',
    {
      snapshot(cards) {
        show(`there are ${cards.length}`)
      },
      events(changes) {
        for (const { type, key, data } of changes) {
          if (data === undefined) show(`${key} is gone`)
          else if (type === 'card.moved') show(`${key} is in ${data.column}`)
          else show(`${key} is called ${data.title}`)
        }
      },
    },
    { snapshot: true },
  )

  spoke.watch(({ name }) => show(name))

  await spoke.publish({ topic: 'cards/board-1', type: 'card.moved', key: 'card-42', data: { column: 'done' } })

  const rename = (title: string, ifVersion: number) =>
    spoke.publish({ topic: 'cards/board-1', type: 'card.renamed', key: 'card-42', data: { title }, ifVersion })
  try {
    await rename('Ship it', 7)
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    const [theirs] = error.conflicts
    if (theirs) await rename('Ship it', theirs.version)
  }
}

const edited = async () => {
  await keep(hub, user, show)
  await edit(hub, show)
  editOffline(hub, user)
}

Object.assign(globalThis, { seen: {}, edited, live, people, typed })
