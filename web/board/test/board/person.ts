import { setTimeout } from 'node:timers/promises'
import type { BrowserContext } from 'playwright-core'
import type { Audit, Office } from './office.js'
import { type Shown, Tab } from './tab.js'
import { Witness } from './witness.js'

declare global {
  /** Lets time pass, in milliseconds, as far as the page knows. */
  function passTime(ms: number): void
}

/** Runs in the page, so it knows nothing of this file. */
function holdTime() {
  const now = performance.now.bind(performance)
  let passed = 0
  performance.now = () => now() + passed
  globalThis.passTime = (ms) => {
    passed += ms
  }
}

/** Somebody with a machine of their own, and three tabs on it, each in a window. */
export class Person {
  readonly name: string
  readonly id: string
  readonly witness: Witness
  /** What the consoles of the tabs say that is no failed request, or one while there is no trouble. */
  readonly complaints: string[] = []
  tabs: Tab[] = []
  readonly #office: Office
  readonly #machine: BrowserContext

  private constructor(name: string, office: Office, machine: BrowserContext, witness: Witness) {
    this.name = name
    this.id = name.toLowerCase()
    this.#office = office
    this.#machine = machine
    this.witness = witness
  }

  static async comes(name: string, office: Office, isTrouble: () => boolean): Promise<Person> {
    const machine = await office.machine()
    const person = new Person(name, office, machine, await Witness.of(machine))
    machine.on('console', (message) => {
      const text = message.text()
      if (message.type() !== 'error' || (isRequest(text) && (isTrouble() || isAnswer(text)))) return
      person.complaints.push(`${name}: ${text}`)
    })
    machine.on('weberror', (error) => person.complaints.push(`${name}: ${error.error().stack}`))
    await machine.addInitScript(holdTime)
    for (let i = 0; i < 3; i++) await person.open()
    return person
  }

  async open(): Promise<void> {
    this.tabs.push(new Tab(await this.#office.comesIn(this.name, 'live', this.#machine), this.id))
  }

  /** The machine sleeps, for a minute and more as far as its pages know, until it is woken. */
  async sleep(): Promise<() => Promise<void>> {
    const sessions = await Promise.all(this.tabs.map(({ page }) => page.context().newCDPSession(page)))
    const set = (state: 'active' | 'frozen') =>
      Promise.all(sessions.map((cdp) => cdp.send('Page.setWebLifecycleState', { state })))
    await setTimeout(1_000) // what tabs tell each other has come by now
    await Promise.all(this.tabs.map(({ page }) => page.evaluate(() => globalThis.passTime(61_000))))
    await set('frozen')
    return async () => {
      await set('active')
    }
  }

  async close(tab: Tab): Promise<void> {
    await tab.page.close()
    this.tabs = this.tabs.filter((each) => each !== tab)
  }
}

/** What the browser itself says of a request that failed. */
function isRequest(text: string): boolean {
  return text.startsWith('Failed to load resource')
}

/** Of these answers it says so too: nobody has signed in, or somebody was faster. */
function isAnswer(text: string): boolean {
  return /status of (401|409)/.test(text)
}

/** What a tab shows that shows what the database holds. */
export function asShown({ columns, cards, users }: Audit): Shown {
  const names = new Map(users.map(({ id, name }) => [id, name]))
  return {
    layout: columns.map(({ id, cards }) => [id, cards]),
    cards: Object.fromEntries(
      cards.map(({ id, title, text, assignee }) => [
        id,
        { title, text, assignee: assignee === null ? null : (names.get(assignee) ?? assignee) },
      ]),
    ),
  }
}
