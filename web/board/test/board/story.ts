import { expect } from 'vitest'
import type { Card } from '../../src/model.js'
import type { Chance } from './chance.js'
import { type Audit, agrees, type Office } from './office.js'
import { asShown, Person } from './person.js'
import type { Decision, Edit, Tab } from './tab.js'
import { type Layout, stranger } from './witness.js'

const columns = ['To do', 'Doing', 'Review', 'Done']
const rooms = ['General', 'Design', 'Release']
const names = ['Ada', 'Ben', 'Chloe', 'Dan', 'Eva']
const arrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']

/** A while in which somebody only looks: whatever their tabs show has to have been so. */
interface Watch {
  strangers(states: readonly Layout[]): string[]
}

/** What one person does in one turn. */
type Turn = (tab: Tab) => Promise<void>

/** Story is what Ada and Ben do, and what goes wrong meanwhile. */
export class Story {
  readonly people: readonly [Person, Person]
  /** What was written and neither given up nor refused. */
  readonly edits: Edit[] = []
  /** Cards that somebody deleted and had back: only they may be seen again. */
  readonly removed = new Set<string>()
  /** Cards that somebody deleted for good. */
  readonly deleted = new Set<string>()
  readonly watched: Watch[] = []
  readonly #office: Office
  readonly #chance: Chance
  #count = 0

  private constructor(office: Office, chance: Chance, people: readonly [Person, Person]) {
    this.#office = office
    this.#chance = chance
    this.people = people
  }

  static async begin(office: Office, chance: Chance): Promise<Story> {
    let story: Story | undefined
    const come = (name: string) => Person.comes(name, office, () => story?.trouble ?? false)
    story = new Story(office, chance, await Promise.all([come('Ada'), come('Ben')]))
    return story
  }

  /** Whether requests may fail. */
  trouble = false

  get tabs(): readonly Tab[] {
    return this.people.flatMap(({ tabs }) => tabs)
  }

  async tell(): Promise<void> {
    const troubles: Record<string, () => Promise<void>> = {
      bothAtOnce: () => this.#bothAtOnce(),
      inARow: () => this.#inARow(),
      offline: () => this.#offline(),
      hubKilled: () => this.#hubKilled(),
      powerCut: () => this.#powerCut(),
      switchedOff: () => this.#switchedOff(),
      reloaded: () => this.#reloaded(),
      closed: () => this.#closed(),
      asleep: () => this.#asleep(),
      deletes: () => this.#deletes(),
    }
    await this.#rounds(2)
    for (const name of this.#chance.shuffled(Object.keys(troubles))) {
      const began = Date.now()
      await troubles[name]?.()
      this.trouble = false
      await this.#rounds(2)
      console.log(`${name}: ${Date.now() - began} ms`)
    }
  }

  /** Waits until all tabs show what the database holds, and nothing waits. */
  async agreed(): Promise<Audit> {
    await Promise.all(this.tabs.map((tab) => tab.settled()))
    await expect.poll(async () => (await this.#office.audit()).outbox, { timeout: 20_000 }).toBe(0)
    const audit = await this.#office.audit()
    await Promise.all(this.tabs.map((tab) => agrees(() => tab.board(), asShown(audit))))
    return audit
  }

  /** Everybody does something, at the same time. */
  async #rounds(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const cards = this.#chance.shuffled((await this.#office.audit()).cards.map(({ id }) => id))
      const turns = this.people.map(({ tabs }, i) => [this.#chance.one(tabs), this.#turn(cards[i] ?? '')] as const)
      await Promise.all(turns.map(([tab, turn]) => turn(tab)))
    }
  }

  /** Draws what to do with a card, or else. */
  #turn(card: string): Turn {
    const chance = this.#chance
    const decision = this.#decision()
    const [column, room, text] = [chance.one(columns), chance.one(rooms), this.#words()]
    const way = [chance.one(arrows), chance.one(arrows), chance.one(arrows)]
    const whom = chance.shuffled(names)
    return chance.one<Turn>([
      (tab) => tab.moveByKeys(card, way),
      (tab) => tab.moveByKeys(card, way),
      (tab) => tab.moveByMouse(card, column),
      (tab) => tab.moveInDialog(card, column),
      async (tab) => this.#outcome(tab, await tab.edit(card, 'title', text), decision),
      async (tab) => this.#outcome(tab, await tab.edit(card, 'text', text), decision),
      async (tab) => this.#outcome(tab, await tab.assign(card, whom), 'Mine'),
      (tab) => tab.add(column, text),
      (tab) => tab.say(room, text),
      (tab) => tab.setStatus(text),
      async (tab) => {
        this.removed.add(card)
        await tab.remove(card)
        await tab.undo()
      },
    ])
  }

  /** Words that nobody has used before. */
  #words(): string {
    return `${this.#chance.one(['Paint', 'Mend', 'Sweep', 'Weigh', 'Draw'])} it, ${++this.#count}`
  }

  /** Waits for what becomes of an edit, and decides if that is asked for. */
  async #outcome(tab: Tab, edit: Edit, decision: Decision): Promise<void> {
    const isAsked = () => tab.conflict.isVisible()
    await expect.poll(async () => (await isAsked()) || this.#isDone(edit), { timeout: 30_000 }).toBe(true)
    if (await this.#isDone(edit)) {
      this.edits.push(edit)
      return
    }
    const decided = await tab.decide(edit, decision)
    if (decided) await this.#outcome(tab, decided, decision)
  }

  /** Waits until an edit has got through, of which nothing is asked. */
  async #gotThrough(edit: Edit): Promise<void> {
    await expect.poll(() => this.#isDone(edit), { timeout: 30_000 }).toBe(true)
    this.edits.push(edit)
  }

  async #isDone({ card, field, value }: Edit): Promise<boolean> {
    return (await this.#card(card))[field] === value
  }

  async #card(id: string): Promise<Card> {
    const card = (await this.#office.audit()).cards.find((each) => each.id === id)
    if (card === undefined) throw new Error(`there is no ${id}`)
    return card
  }

  /** Two people, in any order, and some cards. */
  async #draw(): Promise<{ one: Person; other: Person; cards: string[] }> {
    const { cards } = await this.#office.audit()
    const [one, other] = this.#chance.shuffled(this.people)
    if (!one || !other) throw new Error('there are not two')
    return { one, other, cards: this.#chance.shuffled(cards.map(({ id }) => id)) }
  }

  /** One acts and the other only looks, until their tabs show all that was done. */
  async #watching(act: (actor: Person, cards: string[], watcher: Person) => Promise<void>): Promise<void> {
    await this.agreed()
    const { one, other, cards } = await this.#draw()
    const count = (tab: Tab) => other.witness.frames(tab.page).length
    const from = new Map(other.tabs.map((tab) => [tab, count(tab) - 1]))
    await act(one, cards, other)
    await this.agreed()
    const spans = other.tabs.map((tab) => other.witness.frames(tab.page).slice(from.get(tab), count(tab)))
    this.watched.push({
      strangers: (states) =>
        spans.flatMap((frames) => {
          const strange = stranger(frames, states)
          return strange ? [`${other.name} saw what never was: ${JSON.stringify(strange)}`] : []
        }),
    })
  }

  /** One moves card after card while the other, who looks, loads a page anew: what it fetches is ahead of what it hears. */
  #inARow(): Promise<void> {
    return this.#watching(async (actor, cards, watcher) => {
      const { page } = this.#chance.one(watcher.tabs)
      await Promise.all([this.#movesInARow(actor, cards), page.reload()])
    })
  }

  async #movesInARow({ tabs }: Person, cards: string[]): Promise<void> {
    for (const card of cards.slice(0, 6)) {
      const tab = this.#chance.one(tabs)
      await tab.moveByKeys(card, [this.#chance.one(arrows), this.#chance.one(arrows)])
    }
  }

  /** One deletes cards, and does not have them back. */
  #deletes(): Promise<void> {
    return this.#watching(async (actor, cards) => {
      for (const card of cards.slice(0, this.#chance.one([1, 2]))) {
        this.deleted.add(card)
        await this.#chance.one(actor.tabs).remove(card)
      }
      const left = async () => (await this.#office.audit()).cards.filter(({ id }) => this.deleted.has(id))
      await expect.poll(left, { timeout: 30_000 }).toEqual([])
    })
  }

  /** Both have the same card open: first they change different fields, then the same. */
  async #bothAtOnce(): Promise<void> {
    const { one, other, cards } = await this.#draw()
    const [here, there] = [this.#chance.one(one.tabs), this.#chance.one(other.tabs)]
    const [first = '', second = ''] = cards
    const title = await here.begin(first, 'title', this.#words())
    await this.#gotThrough(await there.edit(first, 'text', this.#words()))
    await this.#gotThrough(await there.assign(first, this.#chance.shuffled(names)))
    await here.save()
    await this.#gotThrough(title)

    const mine = await here.begin(second, 'title', this.#words())
    await this.#gotThrough(await there.edit(second, 'title', this.#words()))
    await here.page.getByText(`${other.name} has changed it to`).waitFor()
    await this.#picture('theirs-while-open', here)
    await here.save()
    await here.conflict.waitFor()
    await this.#picture('conflict', here)
    await this.#outcome(here, mine, this.#decision())
  }

  /** One is on a train; when the network is back, what can be merged is, and what cannot is asked about. */
  async #offline(): Promise<void> {
    const { one, other, cards } = await this.#draw()
    const [here, there] = [this.#chance.one(one.tabs), this.#chance.one(other.tabs)]
    const [merges = '', conflicts = '', moves = ''] = cards
    await this.agreed()
    this.trouble = true
    await here.trouble(/Go offline/)
    for (const tab of one.tabs) await tab.says(/^Offline/)
    const title = await here.edit(merges, 'title', this.#words())
    const mine = await here.edit(conflicts, 'text', this.#words())
    await here.moveByKeys(moves, [this.#chance.one(arrows)])
    await here.say(this.#chance.one(rooms), this.#words())
    await this.#gotThrough(await there.edit(merges, 'text', this.#words()))
    await this.#gotThrough(await there.edit(conflicts, 'text', this.#words()))
    await this.#picture('offline', here)
    const corner = this.#chance.one(one.tabs)
    await corner.corner()
    await corner.page.getByRole('button', { name: 'Go online' }).click()
    const told = one.tabs.map((tab) => tab.page.getByText(`merged with ${other.name}’s change`).waitFor())
    for (const tab of one.tabs) await tab.conflict.waitFor()
    await Promise.any(told)
    await this.#picture('back-online', here)
    expect((await this.#card(conflicts)).text).not.toBe(mine.value)
    await this.#gotThrough(title)
    await this.#outcome(here, mine, this.#decision())
    for (const tab of one.tabs) await tab.conflict.waitFor({ state: 'detached' })
    await corner.corner()
  }

  /** Both go on without the hub, each knowing of the other only what answers say. */
  async #hubKilled(): Promise<void> {
    await this.agreed()
    const { one, other, cards } = await this.#draw()
    const [here, there] = [this.#chance.one(one.tabs), this.#chance.one(other.tabs)]
    this.trouble = true
    await this.#office.killHub(10)
    for (const tab of this.tabs) await tab.says(/^The hub is away/)
    const audit = await this.#office.audit()
    const to = this.#chance.one(audit.columns.filter((column) => cards.length - column.cards.length >= 3))
    const [first = '', second = '', third = ''] = cards.filter((id) => !to.cards.includes(id))
    for (const [tab, card] of [
      [here, first],
      [there, second],
      [here, third],
    ] as const) {
      await tab.moveInDialog(card, to.title)
      await tab.settled()
    }
    await this.#picture('hub-away', there)
    // What a page fetches now is ahead of what it will hear.
    for (let i = 0; i < 3; i++) await this.#gotThrough(await here.edit(first, 'title', this.#words()))
    await there.page.reload()
    await this.#live()
  }

  /** The whole program dies, and what people do meanwhile waits for it. */
  async #powerCut(): Promise<void> {
    const { one, other, cards } = await this.#draw()
    const [here, there] = [this.#chance.one(one.tabs), this.#chance.one(other.tabs)]
    await this.agreed()
    this.trouble = true
    await here.moveByKeys(cards[0] ?? '', ['ArrowRight'])
    await this.#office.crash()
    const edit = await here.edit(cards[1] ?? '', 'text', this.#words())
    await here.add(this.#chance.one(columns), this.#words())
    await there.moveByMouse(cards[2] ?? '', this.#chance.one(columns))
    await there.say(this.#chance.one(rooms), this.#words())
    await here.waiting.first().waitFor()
    await this.#picture('power-cut', here)
    await this.#office.restart()
    await this.#gotThrough(edit)
    await this.#live()
  }

  async #switchedOff(): Promise<void> {
    const tab = this.#chance.one(this.tabs)
    this.trouble = true
    await tab.trouble(/Switch live delivery off/)
    for (const each of this.tabs) await each.says(/^Live by asking/)
    await this.#picture('switched-off', tab)
    await this.#rounds(1)
    await tab.trouble(/Switch live delivery on/)
    // Whoever waits for a page hears of it with the next one.
    await this.#chance.one(this.tabs).say('General', this.#words())
    await this.#live()
  }

  /** What is written last before a page is loaded anew is not lost with it. */
  async #reloaded(): Promise<void> {
    const tab = this.#chance.one(this.tabs)
    const words = this.#words()
    await tab.add(this.#chance.one(columns), words)
    await tab.page.reload()
    await tab.page.getByRole('button', { name: words }).waitFor()
    await this.#live()
  }

  async #closed(): Promise<void> {
    const person = this.#chance.one(this.people)
    await person.close(this.#chance.one(person.tabs))
    await this.#rounds(1)
    await person.open()
  }

  /** One machine sleeps, and wakes up to what the other has done; who sits at it is idle until they move. */
  #asleep(): Promise<void> {
    return this.#watching(async (actor, cards, watcher) => {
      const wake = await watcher.sleep()
      await this.#movesInARow(actor, cards)
      await Promise.all(actor.tabs.map((tab) => tab.settled()))
      await wake()
      await this.#live()
      const here = this.#chance.one(actor.tabs)
      await here.here(`${watcher.name}, idle`).waitFor()
      await this.#picture('idle', here)
      await this.#chance.one(watcher.tabs).page.mouse.move(200, 300)
      await here.here(watcher.name).waitFor()
    })
  }

  async #live(): Promise<void> {
    await Promise.all(this.tabs.map((tab) => tab.says(/^Live(?! by)/)))
  }

  #decision(): Decision {
    return this.#chance.one<Decision>(['Mine', 'Theirs', 'Anew'])
  }

  /** With PICTURES, a folder, in the environment there is one of each trouble. */
  async #picture(name: string, { page }: Tab): Promise<void> {
    const folder = process.env['PICTURES']
    if (folder) await page.screenshot({ path: `${folder}/${name}.png` })
  }
}
