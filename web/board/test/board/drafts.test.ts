import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { office } from './each.js'
import { card } from './office.js'

const field = (page: Page, name: string) => page.getByRole('dialog').getByRole('textbox', { name })
const titles = async () => (await office.audit()).cards.map(({ title }) => title)

test('Escape keeps what was typed into a card, over a reload too, until it is saved or discarded', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await card(ada, 'Sign in').click()
  await field(ada, 'Title').fill('Come in')
  await ada.keyboard.press('Escape')
  await card(ada, 'Sign in').getByText('your draft').waitFor()
  await ada.reload()
  await card(ada, 'Sign in').getByText('your draft').waitFor()

  // What others do meanwhile is asked about as if it had stayed open.
  for (const [name, value] of [
    ['Title', 'Go in'],
    ['Text', 'By the back door'],
  ] as const) {
    await card(ben, name === 'Title' ? 'Sign in' : 'Go in').click()
    await field(ben, name).fill(value)
    await ben.getByRole('button', { name: 'Save' }).click()
  }
  await ada.getByText('By the back door').waitFor()
  await card(ada, 'Go in').click()
  expect(await field(ada, 'Title').inputValue()).toBe('Come in')
  expect(await field(ada, 'Text').inputValue()).toBe('By the back door')
  await ada.getByText('Ben has changed it to Go in').waitFor()
  await ada.getByRole('button', { name: 'Keep mine' }).click()
  await ada.getByRole('button', { name: 'Save' }).click()
  await card(ben, 'Come in').waitFor()
  await ada.getByText('your draft').waitFor({ state: 'detached' })

  await card(ada, 'Come in').click()
  await field(ada, 'Title').fill('Walk in')
  await ada.getByRole('button', { name: 'Discard' }).click()
  await card(ada, 'Come in').click()
  expect(await field(ada, 'Title').inputValue()).toBe('Come in')
})

test('what was typed into a new card or a message is there when one comes back', async () => {
  const ada = await office.comesIn('Ada')
  await ada.getByRole('button', { name: 'Add a card to To do' }).click()
  await ada.keyboard.type('Half a tho')
  await ada.keyboard.press('Escape')
  await ada.getByRole('button', { name: 'Go on with “Half a tho” in To do' }).click()
  await ada.keyboard.type('ught')
  await ada.keyboard.press('Enter')
  await card(ada, 'Half a thought').waitFor()
  await ada.keyboard.press('Escape')
  await ada.getByRole('button', { name: 'Add a card to To do' }).waitFor()

  const message = ada.getByRole('textbox', { name: /Message to/ })
  await ada.getByRole('button', { name: /^Chat/ }).click()
  await message.fill('I was about to')
  await ada.getByRole('button', { name: 'General' }).click()
  expect(await message.inputValue()).toBe('')
  await ada.getByRole('button', { name: 'People', exact: true }).click()
  await ada.getByRole('button', { name: /^Chat/ }).click()
  expect(await message.inputValue()).toBe('I was about to')
})

test('a draft of a card that somebody deletes can be made a new card', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await card(ada, 'Sign in').click()
  await field(ada, 'Text').fill('Without a password')
  await ada.keyboard.press('Escape')
  await card(ben, 'Sign in').focus()
  await ben.keyboard.press('Delete')
  await ada.getByText('“Sign in” was deleted while you edited it').waitFor({ timeout: 20_000 })
  await ada.getByRole('button', { name: 'Make it a new card' }).click()
  await expect
    .poll(async () => (await office.audit()).cards.find(({ title }) => title === 'Sign in'))
    .toMatchObject({ text: 'Without a password' })
})

test('of many notices the first can be reached as well', async () => {
  const ada = await office.comesIn('Ada')
  await ada.setViewportSize({ width: 900, height: 500 })
  const before = (await titles()).length
  for (let i = 0; i < 7; i++) await ada.locator('[data-card]').first().press('Delete')
  await ada.getByRole('button', { name: 'Undo' }).last().click()
  await card(ada, 'Draw the new start page').waitFor()
  expect(await ada.getByRole('button', { name: 'Undo' }).count()).toBe(6)
  await expect.poll(async () => (await titles()).length, { timeout: 20_000 }).toBe(before - 6)
})
