// What people do on the page, found as people find it: by roles and by words.
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Fields } from '../../src/model.js'
import type { Layout } from './witness.js'

/** Somebody has changed a field, and what they had seen there when they did. */
export interface Edit {
  readonly by: string
  readonly card: string
  readonly field: keyof Fields
  readonly value: string
  readonly seen: string[]
}

export type Decision = 'Mine' | 'Theirs' | 'Anew'

/** All that a tab shows, as somebody reads it. */
export interface Shown {
  readonly layout: Layout
  readonly cards: Readonly<Record<string, { title: string; text: string; assignee: string | null }>>
}

/** One tab of somebody who has signed in. */
export class Tab {
  readonly page: Page
  readonly who: string

  constructor(page: Page, who: string) {
    this.page = page
    this.who = who
  }

  card(id: string): Locator {
    return this.page.getByRole('button').and(this.page.locator(`[data-card="${id}"]`))
  }

  get conflict(): Locator {
    return this.page.getByRole('dialog', { name: 'Two changes to the same card' })
  }

  get waiting(): Locator {
    return this.page.getByText(/on its way|on the way|kept until the server answers/)
  }

  /** Waits for a word on the connection. */
  async says(title: RegExp): Promise<void> {
    await this.page.getByRole('status').filter({ hasText: title }).first().waitFor()
  }

  /** Somebody among those who are here. */
  here(words: string): Locator {
    return this.page.getByRole('list', { name: 'Who is here' }).getByText(words, { exact: true })
  }

  async moveByKeys(id: string, arrows: readonly string[]): Promise<void> {
    await this.card(id).press('Space')
    for (const arrow of arrows) await this.page.keyboard.press(arrow)
    await this.page.keyboard.press('Space')
  }

  async moveByMouse(id: string, column: string): Promise<void> {
    const to = this.page.getByRole('region', { name: column })
    // It waits until the card stands still, and fails if somebody moves it to another list just then.
    await this.card(id)
      .scrollIntoViewIfNeeded()
      .catch(() => this.card(id).scrollIntoViewIfNeeded())
    const [at, where] = [await this.card(id).boundingBox(), await to.boundingBox()]
    if (!at || !where) throw new Error(`${id} or ${column} is not on the screen`)
    const { mouse } = this.page
    await mouse.move(at.x + at.width / 2, at.y + at.height / 2)
    await mouse.down()
    await mouse.move(where.x + where.width / 2, where.y + Math.min(where.height - 10, 120), { steps: 6 })
    await mouse.up()
  }

  async moveInDialog(id: string, column: string): Promise<void> {
    const dialog = await this.open(id)
    await dialog.getByLabel('Column').selectOption({ label: column })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
  }

  async open(id: string): Promise<Locator> {
    await this.card(id).click()
    const dialog = this.page.getByRole('dialog', { name: /^Card:/ })
    await dialog.waitFor()
    return dialog
  }

  /** Opens a card and writes over a field, and does not save it. */
  async begin(id: string, field: 'title' | 'text', value: string): Promise<Edit> {
    const dialog = await this.open(id)
    const input = dialog.getByRole('textbox', { name: field === 'title' ? 'Title' : 'Text' })
    const seen = [await input.inputValue()]
    await input.fill(value)
    return { by: this.who, card: id, field, value, seen }
  }

  async save(): Promise<void> {
    await this.page
      .getByRole('dialog', { name: /^Card:/ })
      .getByRole('button', { name: 'Save' })
      .click()
  }

  async edit(id: string, field: 'title' | 'text', value: string): Promise<Edit> {
    const edit = await this.begin(id, field, value)
    await this.save()
    return edit
  }

  /** Gives a card to the first of some people whose it is not. */
  async assign(id: string, names: readonly string[]): Promise<Edit> {
    const select = (await this.open(id)).getByLabel('Assignee')
    const seen = await select.inputValue()
    const name = names.find((each) => each.toLowerCase() !== seen) ?? ''
    await select.selectOption({ label: name })
    await this.save()
    return { by: this.who, card: id, field: 'assignee', value: name.toLowerCase(), seen: [seen] }
  }

  /** Decides about an edit that was asked about, and returns what has become of it, if it has not been given up. */
  async decide({ seen, ...edit }: Edit, decision: Decision): Promise<Edit | undefined> {
    const theirs = this.page.getByRole('radio', { name: /’s/ })
    const side = (await this.conflict.locator('label').filter({ has: theirs }).locator('span').textContent()) ?? ''
    const decided = { ...edit, seen: [...seen, side === 'nothing' ? '' : side] }
    if (decision === 'Theirs') {
      await this.conflict.getByRole('button', { name: 'Give mine up' }).click()
      return undefined
    }
    if (decision === 'Mine') await this.conflict.getByRole('radio', { name: 'Mine' }).check()
    else {
      await this.conflict.getByRole('button', { name: 'Write it anew' }).click()
      await this.conflict.getByRole('textbox').fill(`${edit.value}, anew`)
    }
    await this.conflict.getByRole('button', { name: 'Save' }).click()
    return decision === 'Mine' ? decided : { ...decided, value: `${edit.value}, anew` }
  }

  async add(column: string, title: string): Promise<void> {
    await this.page.getByRole('button', { name: `Add a card to ${column}` }).click()
    await this.page.keyboard.type(title)
    await this.page.keyboard.press('Enter')
    await this.page.keyboard.press('Escape')
  }

  async remove(id: string): Promise<void> {
    await this.card(id).press('Delete')
  }

  async undo(): Promise<void> {
    await this.page.getByRole('button', { name: 'Undo' }).first().click()
  }

  async show(panel: 'Chat' | 'People' | 'Connection'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Panels' }).getByRole('button', { name: panel }).click()
  }

  async say(room: string, text: string): Promise<void> {
    await this.show('Chat')
    await this.page.getByRole('group', { name: 'Conversation' }).getByRole('button', { name: room }).click()
    await this.page.getByRole('textbox', { name: `Message to ${room}` }).fill(text)
    await this.page.keyboard.press('Enter')
  }

  async setStatus(status: string): Promise<void> {
    await this.show('People')
    await this.page.getByRole('textbox', { name: 'Your status' }).fill(status)
    await this.page.keyboard.press('Enter')
  }

  /** The corner in which one may break things: opens it, or closes it again. */
  async corner(): Promise<void> {
    await this.page.getByText('Trouble', { exact: true }).click()
  }

  async trouble(button: RegExp): Promise<void> {
    await this.corner()
    await this.page.getByRole('button', { name: button }).click()
    await this.corner()
  }

  /** The columns, and what each card says. */
  board(): Promise<Shown> {
    return this.page.evaluate(() => {
      const layout: [string, string[]][] = []
      const cards: Record<string, { title: string; text: string; assignee: string | null }> = {}
      for (const column of document.querySelectorAll<HTMLElement>('[data-column]')) {
        const ids: string[] = []
        for (const card of column.querySelectorAll<HTMLElement>('[data-card]')) {
          const id = card.dataset['card'] ?? ''
          ids.push(id)
          cards[id] = {
            title: card.querySelector('.title')?.textContent ?? '',
            text: card.querySelector('.excerpt')?.textContent ?? '',
            assignee: card.querySelector('.foot .sr')?.textContent?.replace(', for ', '') ?? null,
          }
        }
        layout.push([column.dataset['column'] ?? '', ids])
      }
      return { layout, cards }
    })
  }

  async messages(room: string): Promise<string[]> {
    await this.show('Chat')
    await this.page.getByRole('group', { name: 'Conversation' }).getByRole('button', { name: room }).click()
    const list = this.page.getByRole('list', { name: `Messages in ${room}` })
    await list.locator('.text').first().waitFor()
    return list.locator('.text').allTextContents()
  }

  /** What each person is up to. */
  async statuses(): Promise<Record<string, string>> {
    await this.show('People')
    const people = this.page.getByRole('region', { name: 'People' }).locator('.person')
    await people.first().waitFor()
    const all = await people.evaluateAll((items) =>
      items.map((item) => {
        const said = item.querySelector('input')?.value ?? item.querySelector('.status')?.textContent ?? ''
        return [item.querySelector('b')?.textContent ?? '', said === 'no status' ? '' : said] as const
      }),
    )
    return Object.fromEntries(all)
  }

  async settled(): Promise<void> {
    await expect.poll(() => this.waiting.count(), { timeout: 30_000 }).toBe(0)
  }
}
