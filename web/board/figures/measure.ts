import type { Browser } from 'playwright-core'
import type { Mode } from '../src/model.js'
import { Changes } from './changes.js'
import { type Arrival, arrivalsOf, delays } from './delays.js'
import { fill } from './fill.js'
import { comeIn, type Person } from './person.js'
import { type Built, Program, type Usage } from './program.js'
import { type Asked, Tab } from './tab.js'

export interface Place extends Built {
  readonly browser: Browser
}

export interface Load {
  readonly mode: Mode
  /** Whether the hub runs: live mode needs it. */
  readonly hub: boolean
  /** People with a real tab, and others that only ask for the same. */
  readonly tabs: number
  readonly others: number
  readonly changesASecond: number
  readonly seconds: number
  /** How long it goes on before it is measured, in seconds. */
  readonly warmUp: number
  /** How long what was changed last may take to come to the screens, in seconds. */
  readonly settle: number
  /** How often each tab moves a card itself, when the rest has been measured. */
  readonly ownMoves: number
}

export interface Measured {
  readonly load: Load
  readonly minutes: number
  /** What each real tab has asked for. */
  readonly asked: readonly (readonly Asked[])[]
  /** What each of the others has asked for: how many requests. */
  readonly requests: readonly number[]
  /** Bytes that each real tab was sent, and has sent: heads and bodies. */
  readonly received: readonly number[]
  readonly sent: readonly number[]
  /** Bytes that each of the others was sent. */
  readonly othersReceived: readonly number[]
  /** How long after the database had it each change of a card had come to each of the people, in milliseconds. */
  readonly ages: readonly number[]
  /** From sending a change to the frame that shows it in a real tab. */
  readonly shown: readonly number[]
  /** From a key to the frame that shows what it does. */
  readonly own: readonly number[]
  readonly changes: number
  readonly events: number
  /** Events that each of the others received by its stream. */
  readonly othersEvents: readonly number[]
  readonly failed: number
  readonly before: Usage
  readonly after: Usage
}

/** The people of the board: as many as it has, in turns. */
const people = ['Ada', 'Ben', 'Chloe', 'Dan', 'Eva']
/** Which conversation the page shows at first. */
const conversation = 'design'
/** As many cards as thirty people have. */
const cards = 40
/** Thirty people come in within this time. */
const spreadSeconds = 10
/** Which cards the tabs move themselves. */
const spared = ['card-2', 'card-3']

export async function measure(place: Place, load: Load): Promise<Measured> {
  const program = await Program.start(place, load.hub)
  const { url } = program
  await fill(url, cards)
  const tabs: Tab[] = []
  for (const name of people.slice(0, load.tabs)) tabs.push(await Tab.open(place.browser, url, name, load.mode))
  const stream = tabs[0]?.asked.find(({ path }) => path.startsWith('/v1/events?'))?.path ?? ''
  const others = await comeInOneByOne(load, url, stream)
  const changes = await Changes.start({ url, aSecond: load.changesASecond, conversation, spared })
  await seconds(load.warmUp)

  const start = take(program, tabs, others, changes)
  await seconds(load.seconds)
  const end = take(program, tabs, others, changes)

  await seconds(load.settle)
  const own: number[] = []
  for (const [i, tab] of tabs.entries()) own.push(...(await tab.moveByKey(spared[i] ?? '', load.ownMoves)))
  await changes.stop()
  const within = changes.done.slice(start.changes, end.changes)
  const screens: Arrival[][] = []
  for (const tab of tabs) screens.push(arrivalsOf((await tab.notes()).sights, changes.done))
  const all = [...screens, ...others.map(({ arrivals }) => arrivals)]
  for (const tab of tabs) await tab.close()
  for (const other of others) other.close()
  await program.close()
  return {
    load,
    minutes: (end.usage.at - start.usage.at) / 60_000,
    asked: end.asked.map((all, i) => all.slice(start.asked[i]?.length)),
    requests: less(end.requests, start.requests),
    received: less(end.received, start.received),
    sent: less(end.sent, start.sent),
    othersReceived: less(end.othersReceived, start.othersReceived),
    ages: all.flatMap((arrivals) => delays(within, arrivals, 'at')),
    shown: screens.flatMap((arrivals) => delays(within, arrivals, 'sent')),
    own,
    changes: end.changes - start.changes,
    events: end.events - start.events,
    othersEvents: less(end.othersEvents, start.othersEvents),
    failed: end.failed - start.failed,
    before: start.usage,
    after: end.usage,
  }
}

function take(program: Program, tabs: readonly Tab[], others: readonly Person[], changes: Changes) {
  return {
    usage: program.usage,
    asked: tabs.map(({ asked }) => [...asked]),
    received: tabs.map(({ link }) => link.received),
    sent: tabs.map(({ link }) => link.sent),
    requests: others.map(({ client }) => client.requests),
    othersReceived: others.map(({ client }) => client.received),
    othersEvents: others.map(({ events }) => events),
    changes: changes.done.length,
    events: changes.events,
    failed: changes.failed,
  }
}

/** Not all at once, as people do not: those that poll take turns. */
async function comeInOneByOne(load: Load, url: string, stream: string): Promise<Person[]> {
  const { mode, others } = load
  const came: Person[] = []
  for (let i = 0; i < others; i++) {
    const user = (people[i % people.length] ?? '').toLowerCase()
    came.push(await comeIn({ url, user, mode, stream, session: `session-${i}` }))
    await seconds(spreadSeconds / 30)
  }
  return came
}

function less(end: readonly number[], start: readonly number[]): number[] {
  return end.map((value, i) => value - (start[i] ?? 0))
}

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000))
}
