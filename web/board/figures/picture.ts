// Makes docs/board.png, the picture of the board: npm run picture.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Card } from '../src/model.js'
import { launch } from './browser.js'
import { buildProgram } from './build.js'
import { ask } from './changes.js'
import { Client } from './client.js'
import { Program } from './program.js'

/** What people add to what a board begins with. */
const cards = [
  { by: 'ada', column: 'todo', title: 'Tell everybody when it goes out', text: 'A week ahead.' },
  { by: 'chloe', column: 'review', title: 'Print what was decided', text: 'On one page, with the names.' },
  { by: 'eva', column: 'doing', title: 'Answer within a day', text: '', assignee: 'eva' },
  { by: 'dan', column: 'review', title: 'Try it with one hand', text: 'On a phone, in the rain.', assignee: 'chloe' },
] as const

const folder = mkdtempSync(join(tmpdir(), 'nave-picture-'))
const program = await Program.start({ program: buildProgram(folder), page: 'dist' }, true)
const browser = await launch()
const clients = new Map<string, Client>()
for (const user of ['ada', 'chloe', 'dan', 'eva']) clients.set(user, await Client.signIn(program.url, user))
try {
  const [ada, ben] = [await comeIn('Ada'), await comeIn('Ben'), await comeIn('Chloe'), await comeIn('Dan')]
  await ada.locator('.costs').waitFor() // only what happens from now on is measured
  for (const { by, column, title, text, ...more } of cards) {
    const { id, rev } = await ask<Card>(as(by), 'POST', '/api/cards', { id: randomUUID(), column, title, text })
    if ('assignee' in more) await ask(as(by), 'PATCH', `/api/cards/${id}`, { rev, changes: more })
  }
  await ask<Card>(as('dan'), 'POST', '/api/cards/card-6/move', { to: 'done', before: 'card-7' })
  await say('chloe', 'design', 'The second draft is up. Bold, as you wanted.')
  await say('dan', 'design', 'Too bold for me. Can we see both?')
  await write(ben, 'Both are on the card now, side by side.')
  await say('chloe', 'design', 'Then I move it to review when you are done.')
  await say('ada', 'design', 'Done. The green one, please.')
  await say('eva', 'release', 'Friday it is.')

  for (const { title } of cards) await ada.getByText(title).waitFor()
  for (const words of ['side by side', 'to review', 'The green one', /new$/])
    await ada.getByText(words).first().waitFor()
  for (const name of ['Ada', 'Ben', 'Chloe', 'Dan'])
    await ada.getByRole('list', { name: 'Who is here' }).getByText(name, { exact: true }).waitFor()
  await ada.getByText(/^0\.0 requests a minute, changes seen after \d+ ms$/).waitFor()
  await ada.getByText('on its way').waitFor({ state: 'detached' })
  await ada.mouse.move(0, 0)
  await ada.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur())
  await ada.screenshot({ path: '../../docs/board.png', animations: 'disabled' }) // what glows has gone out
} finally {
  for (const client of clients.values()) client.close()
  await browser.close()
  await program.close()
  rmSync(folder, { recursive: true })
}

function as(user: string): Client {
  const client = clients.get(user)
  if (client === undefined) throw new Error(`${user} has not signed in`)
  return client
}

async function comeIn(name: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 760 }, colorScheme: 'light' })
  const page = await context.newPage()
  // That Chat is pressed is said before live mode is measured.
  await page.goto(`${program.url}?mode=polling`)
  await page.getByRole('button', { name, exact: true }).click()
  await page.getByRole('button', { name: /^Chat/ }).click()
  await page.getByRole('radio', { name: 'Live' }).check()
  await page.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
  return page
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: /message/i }).fill(text)
  await page.keyboard.press('Enter')
  await page.getByRole('log').getByText(text).waitFor()
}

async function say(user: string, conversation: string, text: string): Promise<void> {
  await ask(as(user), 'POST', `/api/conversations/${conversation}/messages`, { id: randomUUID(), text })
}
