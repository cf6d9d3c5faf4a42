// Makes docs/board.png, the picture of the board: npm run picture.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Card } from '../src/model.js'
import { launch } from './browser.js'
import { buildProgram } from './build.js'
import { ask } from './changes.js'
import { Client } from './client.js'
import { Program } from './program.js'

const folder = mkdtempSync(join(tmpdir(), 'nave-picture-'))
const program = await Program.start({ program: buildProgram(folder), page: 'dist' }, true)
const browser = await launch()
try {
  const [ada, ben, chloe, dan] = [await comeIn('Ada'), await comeIn('Ben'), await write('chloe'), await write('dan')]
  await ask<Card>(dan, 'POST', '/api/cards/card-6/move', { to: 'done', before: 'card-7' })
  await ask<Card>(chloe, 'POST', '/api/cards', {
    id: 'review-1',
    column: 'review',
    title: 'Print what was decided',
    text: 'On one page, with the names.',
  })
  await say(chloe, 'The second draft is up. Bold, as you wanted.')
  await say(dan, 'Too bold for me. Can we see both?')
  await ben.getByRole('textbox', { name: /message/i }).fill('Both are on the card now, side by side.')
  await ben.keyboard.press('Enter')
  await ada.getByText('side by side').waitFor()
  await ada.getByText('Print what was decided').waitFor()
  await ada.mouse.move(0, 0)
  await ada.waitForTimeout(3_000) // what glows has gone out
  await ada.screenshot({ path: '../../docs/board.png' })
} finally {
  await browser.close()
  await program.close()
  rmSync(folder, { recursive: true })
}

async function comeIn(name: string) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 760 }, colorScheme: 'light' })
  const page = await context.newPage()
  await page.goto(program.url)
  await page.getByRole('button', { name, exact: true }).click()
  await page.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
  return page
}

function write(user: string): Promise<Client> {
  return Client.signIn(program.url, user)
}

async function say(client: Client, text: string): Promise<void> {
  await ask(client, 'POST', '/api/conversations/design/messages', { id: randomUUID(), text })
}
