import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { office } from './each.js'
import { card, column } from './office.js'

/** Another tab of the same browser. */
async function anotherTab(page: Page): Promise<Page> {
  const tab = await page.context().newPage()
  await tab.goto(office.url)
  await column(tab, 'To do').waitFor()
  return tab
}

/** Says something of the signed-in person, as a page of any make may. */
async function publish(page: Page, event: object): Promise<number> {
  return page.evaluate(async (body) => {
    const { token } = await (await fetch('/api/token')).json()
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    return (await fetch('/v1/events', { method: 'POST', headers, body: JSON.stringify(body) })).status
  }, event)
}

test('all tabs show who is signed in, and none writes in the name of another', async () => {
  const first = await office.comesIn('Ada')
  const second = await anotherTab(first)
  await second.getByRole('button', { name: /Sign out/ }).click()
  await first.getByRole('button', { name: 'Ben', exact: true }).waitFor()
  await second.getByRole('button', { name: 'Ben', exact: true }).click()
  await first.getByRole('button', { name: /^Ben: Sign out/ }).waitFor()

  // One that has heard of nothing.
  await second.evaluate(() =>
    fetch('/api/sign-in', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: 'chloe' }),
    }),
  )
  await first.getByRole('button', { name: 'Chat', exact: true }).click()
  await first.getByRole('textbox', { name: /Message to/ }).fill('By Ben')
  await first.keyboard.press('Enter')
  await first.getByRole('button', { name: /^Chloe: Sign out/ }).waitFor()
  expect((await office.audit()).messages.map(({ text }) => text)).not.toContain('By Ben')
})

test('what somebody publishes about themselves blanks nobody’s page', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await ben.getByRole('button', { name: 'People', exact: true }).click()
  const event = { topic: 'sessions/ada', type: 'session.activity', key: 'activity' }
  expect(await publish(ada, { ...event, data: { what: { a: 1 } } })).toBe(200)
  expect(await publish(ada, { ...event, data: { what: 'does something else' } })).toBe(200)
  await ben.getByText('does something else').waitFor()
  await card(ben, 'Sign in').waitFor()
})

test('who signs out is asked about what is not sent, and stays signed in if that fails', async () => {
  const ada = await office.comesIn('Ada')
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'Go offline' }).click()
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'Chat', exact: true }).click()
  await ada.getByRole('textbox', { name: /Message to/ }).fill('Kept')
  await ada.keyboard.press('Enter')
  await ada.getByRole('button', { name: /Sign out/ }).click()
  const dialog = ada.getByRole('dialog', { name: 'Not everything is sent' })
  await dialog.getByText(/^1 change of yours/).waitFor()
  await dialog.getByRole('button', { name: 'Keep and sign out' }).click()
  await ada.getByText(/you are still signed in/).waitFor()
  await dialog.getByRole('button', { name: 'Stay' }).click()
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'Go online' }).click()
  await expect.poll(async () => (await office.audit()).messages.map(({ text }) => text)).toContain('Kept')
})

test('what became of an edit is told in every tab until somebody has dealt with it', async () => {
  const [first, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  const second = await anotherTab(first)
  await card(second, 'Sign in').click()
  await second.getByRole('textbox', { name: 'Text' }).fill('At last')
  await card(ben, 'Sign in').focus()
  await ben.keyboard.press('Delete')
  await second.getByText(/deleted by somebody meanwhile/).waitFor({ timeout: 20_000 })
  await second.getByRole('button', { name: 'Save' }).click()
  for (const tab of [first, second]) await tab.getByText('“Sign in” was deleted while you edited it').waitFor()
  await second.reload()
  await second.getByRole('button', { name: 'Make it a new card' }).click()
  await expect
    .poll(async () => (await office.audit()).cards.find(({ title }) => title === 'Sign in'))
    .toMatchObject({ text: 'At last' })
  await first.getByText('“Sign in” was deleted while you edited it').waitFor({ state: 'detached' })
})
