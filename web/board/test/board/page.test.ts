import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { Write } from '../../src/overlay.js'
import { office } from './each.js'
import { card, column } from './office.js'

const edit: Write = {
  do: 'edit',
  card: 'gone',
  base: { title: 'Thought of', text: '', assignee: null },
  changes: { text: 'All of it' },
  rev: 1,
  column: 'doing',
}

/** As if so many writes of Ada’s waited for her, after one of another kind that cannot be done. */
async function wait(page: Page, count: number): Promise<void> {
  const said: Write = { do: 'say', conversation: 'design', id: 'm', text: 'Later', at: new Date().toISOString() }
  const failed = { kind: 'refused', why: 'not now' }
  const entries: object[] = Array.from({ length: count }, () => ({ write: said, failed }))
  await page.evaluate(
    (entries) => {
      for (const [i, entry] of entries.entries()) {
        const key = `board write ada ${(1_000 + i).toString(36)} x`
        localStorage.setItem(key, JSON.stringify({ key, ...entry }))
      }
    },
    [{ write: edit, failed: { kind: 'gone' } }, ...entries],
  )
  await page.reload()
  await column(page, 'To do').waitFor()
}

test('when no more changes can wait, no words are lost', async () => {
  const ada = await office.comesIn('Ada')
  await wait(ada, 198) // with the one that failed there is room for one of the two that it takes
  await ada.getByRole('button', { name: 'Make it a new card' }).click()
  await ada.getByText(/200 changes wait/).waitFor()
  await ada.getByText('“Thought of” was deleted while you edited it').waitFor()
  expect((await office.audit()).cards.map(({ title }) => title)).not.toContain('Thought of')
  expect(await card(ada, 'Thought of').count()).toBe(0)

  await wait(ada, 199)
  await ada.getByRole('button', { name: 'People', exact: true }).click()
  const status = ada.getByRole('textbox', { name: 'Your status' })
  await status.fill('On the train')
  await status.press('Enter')
  await ada.getByText(/200 changes wait/).waitFor()
  await ada.getByRole('button', { name: 'Chat', exact: true }).click()
  await ada.getByRole('button', { name: 'People', exact: true }).click()
  expect(await status.inputValue()).toBe('On the train')

  await wait(ada, 0)
  await ada.evaluate(() => {
    for (const key of Object.keys(localStorage)) if (!key.endsWith('rs x')) localStorage.removeItem(key)
  })
  await ada.reload()
  await ada.getByRole('button', { name: 'Make it a new card' }).click()
  await card(ada, 'Thought of').and(column(ada, 'Doing').getByRole('button')).waitFor()
  await expect
    .poll(async () => (await office.audit()).cards.find(({ title }) => title === 'Thought of'))
    .toMatchObject({ text: 'All of it', column: 'doing' })
})

test('who polls is told that the server does not answer, and when it does again', async () => {
  const ada = await office.comesIn('Ada', 'polling')
  const says = (words: RegExp) => ada.getByRole('status').filter({ hasText: words }).waitFor({ timeout: 45_000 })
  await says(/^Polling/)
  await office.crash()
  await says(/^The server does not answer/)
  await ada.locator('.banner').getByText('kept here').waitFor()
  await office.restart()
  await says(/^Polling/)
  expect(await ada.locator('.banner').count()).toBe(0)
}, 120_000)

test('cards do not fly in when one comes back to the board on a phone', async () => {
  const ada = await office.comesIn('Ada')
  await ada.setViewportSize({ width: 390, height: 844 })
  await ada.evaluate(() => {
    const animate = Element.prototype.animate
    Element.prototype.animate = function (...given) {
      document.body.dataset['glided'] = 'yes'
      return animate.apply(this, given)
    }
  })
  const glided = () => ada.evaluate(() => document.body.dataset['glided'])
  await ada.getByRole('button', { name: /^Chat/ }).click()
  await ada.getByRole('button', { name: 'People', exact: true }).click()
  await ada.getByRole('button', { name: 'Board', exact: true }).click()
  await card(ada, 'Sign in').waitFor()
  expect(await glided()).toBeUndefined()
  await card(ada, 'Sign in').press('Space')
  await ada.keyboard.press('ArrowUp')
  await ada.keyboard.press('Space')
  await ada.keyboard.press('Escape')
  const ben = await office.comesIn('Ben')
  await card(ben, 'Sign in').press('Space')
  await ben.keyboard.press('ArrowDown')
  await ben.keyboard.press('Space')
  await expect.poll(glided).toBe('yes')
})

test('a slow network is told of in the header while it lasts', async () => {
  const ada = await office.comesIn('Ada')
  const corner = () => ada.getByText('Trouble', { exact: true }).click()
  const sign = ada.locator('.header').getByText('Slow network')
  await corner()
  await ada.getByRole('button', { name: 'Slow network', exact: true }).click()
  await sign.waitFor()
  await corner()
  await ada.reload()
  await sign.waitFor()
  await corner()
  await ada.getByRole('button', { name: 'End the slow network' }).click()
  await sign.waitFor({ state: 'detached' })
})
