// What people do to each other, and to their keyboards.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { office } from './each.js'
import { card } from './office.js'

const columnOf = async (title: string) => (await office.audit()).cards.find((each) => each.title === title)?.column
const travelling = (page: Page) => page.locator('.columns[data-travelling]').count()
const field = (page: Page, name: string) => page.getByRole('dialog').getByRole('textbox', { name })

async function moves(page: Page, title: string, arrow: string): Promise<void> {
  for (const key of ['Space', arrow, 'Space']) await card(page, title).press(key)
}

async function changes(page: Page, title: string, name: 'Title' | 'Text', text: string): Promise<void> {
  await card(page, title).click()
  await field(page, name).fill(text)
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
}

test('a card that is picked up and that somebody deletes is let go', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await card(ada, 'Show who is here').press('Space')
  expect(await travelling(ada)).toBe(1)
  await card(ben, 'Show who is here').press('Delete')
  await expect.poll(() => travelling(ada), { timeout: 15_000 }).toBe(0)
  await ada.getByText('The card that was picked up is deleted').waitFor({ state: 'attached' })
  await moves(ada, 'Sign in', 'ArrowLeft')
  await expect.poll(() => columnOf('Sign in')).toBe('review')
})

test('a card that somebody moves while it is dragged is dropped where the pointer is', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  const title = 'Draw the new start page'
  const [at, to] = [await card(ada, title).boundingBox(), await card(ada, 'Ask five people').boundingBox()]
  if (!at || !to) throw new Error('a card is not on the screen')
  await ada.mouse.move(at.x + 30, at.y + 10)
  await ada.mouse.down()
  await ada.mouse.move(at.x + 30, at.y + 30, { steps: 3 })
  await moves(ben, title, 'ArrowRight')
  await ada.getByRole('region', { name: 'Doing' }).locator('[data-card="card-1"]').waitFor()
  await ada.mouse.move(at.x + 30, at.y + 4, { steps: 3 })
  await ada.mouse.up()
  await expect.poll(() => columnOf(title)).toBe('todo')
})

test('a key that is held down deletes one card', async () => {
  const ada = await office.comesIn('Ada')
  const before = await ada.locator('[data-card]').count()
  await card(ada, 'Draw the new start page').focus()
  for (let i = 0; i < 4; i++) await ada.keyboard.down('Delete') // from the second on it repeats
  await ada.keyboard.up('Delete')
  await ada.getByRole('button', { name: 'Undo' }).first().waitFor()
  expect(await ada.locator('[data-card]').count()).toBe(before - 1)
})

test('two texts that are too long together are shortened before they are saved', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await ada.context().route('**/api/cards/*', (route) => route.abort())
  await changes(ada, 'Sign in', 'Text', 'a'.repeat(6_000))
  await changes(ben, 'Sign in', 'Text', 'b'.repeat(6_000))
  await expect.poll(async () => (await office.audit()).cards.some(({ text }) => text.startsWith('bb'))).toBe(true)
  await ada.context().unroute('**/api/cards/*')
  await ada.getByRole('button', { name: 'Write it anew' }).click()
  const save = ada.getByRole('dialog').getByRole('button', { name: 'Save' })
  await ada.getByText('It is too long by 2002 characters').waitFor()
  expect(await save.isDisabled()).toBe(true)
  await field(ada, 'Anew').fill('both')
  await save.click()
  await expect.poll(async () => (await office.audit()).cards.some(({ text }) => text === 'both')).toBe(true)
})

test('words that are refused can be read, and edited again', async () => {
  const ada = await office.comesIn('Ada')
  const body = JSON.stringify({ detail: 'not today' })
  await ada.context().route('**/api/cards/*', (route) => route.fulfill({ status: 400, body }))
  await changes(ada, 'Sign in', 'Text', 'Without a password')
  await ada.getByText('“Sign in” was not changed: not today. You wrote: “Without a password”').waitFor()

  await ada.context().unroute('**/api/cards/*')
  await ada.setViewportSize({ width: 390, height: 844 })
  await ada.getByRole('button', { name: /^Chat/ }).click()
  await ada.getByRole('button', { name: 'Edit again' }).click()
  expect(await field(ada, 'Text').inputValue()).toBe('Without a password')
  expect(await ada.getByText('was not changed').count()).toBe(0)
  await field(ada, 'Text').fill('Without any password')
  await ada.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => (await office.audit()).cards.map(({ text }) => text)).toContain('Without any password')
})

test('words that are refused are not put over what has been typed since', async () => {
  const ada = await office.comesIn('Ada')
  const body = JSON.stringify({ detail: 'not today' })
  await ada.context().route('**/api/cards/*', (route) => route.fulfill({ status: 400, body }))
  await changes(ada, 'Sign in', 'Text', 'Without a password')
  await ada.getByRole('button', { name: 'Edit again' }).waitFor()
  await card(ada, 'Sign in').click()
  await field(ada, 'Text').fill('With a key')
  await ada.keyboard.press('Escape')
  await ada.getByRole('button', { name: 'Edit again' }).waitFor({ state: 'detached' })
  await ada.getByText('You wrote: “Without a password”').waitFor()
})

test.each(['\u202egnol oot', '\u2069\u202egnol oot'])(
  'words that turn the direction turn none of a notice: %j',
  async (title) => {
    const ada = await office.comesIn('Ada')
    await changes(ada, 'Sign in', 'Title', title)
    await ada.locator('[data-card]', { hasText: 'gnol oot' }).press('Delete')
    const notice = ada.locator('.notice span', { hasText: 'is deleted' })
    const [first, last] = await notice.evaluate((span) => {
      const text = [...span.childNodes].findLast((node) => node instanceof Text)
      if (text === undefined) return []
      const end = text.data.length
      return [end - 'is deleted'.length, end - 1].map((at) => {
        const letter = document.createRange()
        letter.setStart(text, at)
        letter.setEnd(text, at + 1)
        return letter.getBoundingClientRect().left
      })
    })
    expect(last).toBeGreaterThan(first ?? Number.POSITIVE_INFINITY)
  },
)

test('a page that did not come over HTTPS works', async () => {
  const machine = await office.machine()
  await machine.addInitScript(() => Reflect.deleteProperty(Crypto.prototype, 'randomUUID'))
  const ada = await office.comesIn('Ada', 'polling', machine)
  await moves(ada, 'Sign in', 'ArrowLeft')
  await expect.poll(() => columnOf('Sign in')).toBe('review')
})
