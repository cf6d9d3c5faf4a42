// What people do to each other, and to their keyboards.
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { card, Office } from './office.js'

let office: Office
beforeEach(async () => {
  office = await Office.open()
})
afterEach(async () => {
  const { errors } = office
  await office.close()
  expect(errors).toEqual([])
})

const columnOf = async (title: string) => (await office.audit()).cards.find((each) => each.title === title)?.column
const travelling = (page: Page) => page.locator('.columns[data-travelling]').count()

async function moves(page: Page, title: string, arrow: string): Promise<void> {
  for (const key of ['Space', arrow, 'Space']) await card(page, title).press(key)
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
