import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { office } from './each.js'
import { card, column } from './office.js'

async function edit(page: Page, title: string, changes: { Title?: string; Text?: string }): Promise<void> {
  await card(page, title).click()
  for (const [name, value] of Object.entries(changes)) await page.getByRole('textbox', { name }).fill(value)
}

async function save(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save' }).click()
}

test('a card that one moves or edits does so for the other', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await ada.getByRole('list', { name: 'Who is here' }).getByText('Ben').waitFor()
  await card(ada, 'Show who is here').focus()
  for (const key of ['Space', 'ArrowRight', 'Space']) await ada.keyboard.press(key)
  await card(ben, 'Show who is here').and(column(ben, 'Done').getByRole('button')).waitFor()
  expect(await ada.evaluate(() => document.activeElement?.textContent)).toContain('Show who is here')

  await card(ben, 'Sign in').scrollIntoViewIfNeeded() // it glides where the other has left
  const from = await card(ben, 'Sign in').boundingBox()
  const to = await column(ben, 'Doing').boundingBox()
  if (!from || !to) throw new Error('the card or its column is not on the screen')
  await ben.mouse.move(from.x + 20, from.y + 20)
  await ben.mouse.down()
  await ben.mouse.move(to.x + 60, to.y + 60, { steps: 8 })
  await ben.mouse.up()
  await card(ada, 'Sign in').and(column(ada, 'Doing').getByRole('button')).waitFor()
  expect(await ben.getByRole('dialog').count()).toBe(0)

  await edit(ben, 'Sign in', { Title: 'Come in' })
  await save(ben)
  await card(ada, 'Come in').waitFor()
})

test('changes to different fields are merged, and to the same one are asked about', async () => {
  const [ada, ben] = [await office.comesIn('Ada', 'polling'), await office.comesIn('Ben', 'polling')]
  await edit(ada, 'Sign in', { Title: 'Sign in at once' })
  await edit(ben, 'Sign in', { Text: 'Without a password' })
  await save(ben)
  await ben.getByText('on its way').waitFor({ state: 'detached' })
  await save(ada)
  await ada.getByText(/merged with Ben’s change/).waitFor()
  await expect
    .poll(async () => (await office.audit()).cards.find(({ title }) => title === 'Sign in at once'))
    .toMatchObject({ text: 'Without a password' })

  await edit(ada, 'Show who is here', { Title: 'Show who is in' })
  await edit(ben, 'Show who is here', { Title: 'Show who is out' })
  await save(ben)
  await expect.poll(async () => (await office.audit()).cards.map(({ title }) => title)).toContain('Show who is out')
  await save(ada)
  const dialog = ada.getByRole('dialog', { name: 'Two changes to the same card' })
  await dialog.waitFor()
  expect((await office.audit()).cards.map(({ title }) => title)).toContain('Show who is out')
  await dialog.getByRole('radio', { name: /Mine/ }).check()
  await save(ada)
  await expect.poll(async () => (await office.audit()).cards.map(({ title }) => title)).toContain('Show who is in')
  expect((await office.audit()).cards.map(({ title }) => title)).not.toContain('Show who is out')
})

test('what is typed in a conflict stays while others go on, and each is put off by itself', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  const dialog = ada.getByRole('dialog', { name: 'Two changes to the same card' })
  const clash = async (title: string, mine: string, theirs: string) => {
    await edit(ada, title, { Title: mine })
    await edit(ben, title, { Title: theirs })
    await save(ben)
    await ada.getByText(`Ben has changed it to`).waitFor()
    await save(ada)
    await dialog.getByText(`“${theirs}”`).waitFor()
  }
  await clash('Sign in', 'Come in', 'Go in')
  await dialog.getByRole('button', { name: 'Write it anew' }).click()
  await dialog.getByRole('textbox').fill('Walk in')
  await card(ben, 'Go in').focus()
  for (const key of ['Space', 'ArrowLeft', 'Space']) await ben.keyboard.press(key)
  await card(ada, 'Come in').and(column(ada, 'Review').getByRole('button')).waitFor()
  expect(await dialog.getByRole('textbox').inputValue()).toBe('Walk in')
  expect(await dialog.getByRole('button', { name: 'Save' }).isEnabled()).toBe(true)

  // What has changed under a decision is to be looked at, and nothing typed is lost.
  await edit(ben, 'Go in', { Title: 'Run in' })
  await save(ben)
  await dialog.getByText('Run in', { exact: true }).waitFor()
  expect(await dialog.getByRole('button', { name: 'Save' }).isEnabled()).toBe(false)
  expect(await dialog.getByRole('textbox').inputValue()).toBe('Walk in')

  await ada.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(await ada.evaluate(() => document.activeElement?.textContent)).toContain('Come in')
  await clash('Show who is here', 'Show who is in', 'Show who is out')
  await dialog.getByRole('radio', { name: /Mine/ }).check()
  await save(ada)
  await card(ben, 'Show who is in').waitFor()
  await ada.getByRole('button', { name: '1 change to decide on' }).click()
  await dialog.getByRole('radio', { name: /Ben’s/ }).check()
  await save(ada)
  await card(ada, 'Run in').waitFor()
})

test('what is done without a network is sent once, even by another page', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'Go offline' }).click()
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'Add a card to To do' }).click()
  await ada.keyboard.type('Made on the train')
  await ada.keyboard.press('Enter')
  await ada.keyboard.press('Escape')
  await card(ada, 'Made on the train').focus()
  for (const key of ['Space', 'ArrowRight', 'Space']) await ada.keyboard.press(key)
  await ada.getByText('2 changes kept until the server answers').waitFor()
  await ada.reload()
  await card(ben, 'Made on the train').and(column(ben, 'Doing').getByRole('button')).waitFor()
  const { cards } = await office.audit()
  expect(cards.filter(({ title }) => title === 'Made on the train')).toHaveLength(1)
})

test('a hub that is killed costs nothing, and the board says so', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: /Kill the hub/ }).click()
  await ben
    .getByRole('status')
    .filter({ hasText: /^The hub is away/ })
    .waitFor()
  await card(ben, 'Show who is here').focus()
  for (const key of ['Space', 'ArrowRight', 'Space']) await ben.keyboard.press(key)
  await ada.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
  await card(ada, 'Show who is here').and(column(ada, 'Done').getByRole('button')).waitFor()
  await expect.poll(async () => (await office.audit()).outbox, { timeout: 20_000 }).toBe(0)
})

test('the trouble corner does what it says, and knows after a reload what is on', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  const says = (page: Page, words: RegExp) =>
    page.getByRole('status').filter({ hasText: words }).waitFor({ timeout: 60_000 })
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'Switch live delivery off' }).click()
  await Promise.all([says(ada, /^Live by asking/), says(ben, /^Live by asking/)])
  await ada.getByRole('button', { name: 'Slow network' }).click()
  await ada.getByRole('button', { name: 'End the slow network' }).waitFor()
  await ada.reload()
  await ada.getByText('Trouble', { exact: true }).click()
  await ada.getByRole('button', { name: 'End the slow network' }).waitFor()
  const took = await ada.evaluate(async () => {
    const begun = performance.now()
    await fetch('/api/me')
    return performance.now() - begun
  })
  expect(took).toBeGreaterThan(790)
  await ada.getByRole('button', { name: 'End the slow network' }).click()
  await ada.getByRole('button', { name: 'Slow network', exact: true }).waitFor()
  await ben.getByText('Trouble', { exact: true }).click()
  await ben.getByRole('button', { name: 'Switch live delivery on' }).click()
  await Promise.all([says(ada, /^Live Changes/), says(ben, /^Live Changes/)])
  await ada.getByRole('button', { name: 'Switch live delivery off' }).waitFor()
}, 150_000)

test('a card that was deleted comes back with Undo, and goes without', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben')]
  await card(ada, 'Sign in').focus()
  await ada.keyboard.press('Delete')
  // The focus is never nowhere.
  const focused = () => ada.evaluate(() => document.activeElement?.textContent)
  await expect.poll(focused).toContain('Choose the colours')
  await ada.getByRole('button', { name: 'Undo' }).click()
  await card(ada, 'Sign in').waitFor()
  await expect.poll(focused).toContain('Sign in')
  await card(ada, 'Choose the colours').click()
  await ada.getByRole('button', { name: 'Delete' }).click()
  await card(ada, 'Choose the colours').waitFor({ state: 'detached' })
  await expect.poll(focused).toContain('Sign in')
  await card(ben, 'Choose the colours').waitFor({ state: 'detached' })
  const { cards } = await office.audit()
  expect(cards.map(({ title }) => title)).toContain('Sign in')
  expect(cards.map(({ title }) => title)).not.toContain('Choose the colours')
})

test('the panel says what each mode costs, and which buttons are pressed', async () => {
  const ada = await office.comesIn('Ada')
  const panel = ada.getByRole('region', { name: 'Connection' })
  expect(await ada.getByRole('button', { name: 'Connection', pressed: true }).count()).toBe(1)
  await card(ada, 'Sign in').focus()
  for (const key of ['Space', 'ArrowLeft', 'Space']) await ada.keyboard.press(key)
  await expect
    .poll(
      async () => {
        await panel.getByRole('button', { name: 'Count again' }).click()
        return panel.locator('dt').allTextContents()
      },
      { timeout: 20_000 },
    )
    .toContain('move')
  const cell = (label: string) => panel.getByRole('row', { name: label }).getByRole('cell').nth(1).textContent()
  await expect.poll(() => cell('Requests a minute'), { timeout: 20_000 }).toMatch(/^\d+\.\d$/)
  expect(await cell('Data at most this old')).toMatch(/^[\d.]+ m?s$/)
})

test('who signs out is out, and somebody else can come in', async () => {
  const ada = await office.comesIn('Ada')
  await ada.getByRole('button', { name: /Sign out/ }).click()
  await ada.getByRole('button', { name: 'Ben', exact: true }).click()
  await ada.getByRole('button', { name: /^Ben: Sign out/ }).waitFor()
  await card(ada, 'Sign in').waitFor()
})

test('one who polls sees what others do with the next answer, and live at once', async () => {
  const [ada, ben] = [await office.comesIn('Ada'), await office.comesIn('Ben', 'polling')]
  for (const page of [ada, ben]) await page.getByRole('button', { name: 'Chat', exact: true }).click()
  const asked: string[] = []
  ben.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
  const timesAsked = (path: string) => asked.filter((each) => each.includes(path)).length
  await ben.getByRole('textbox', { name: /Message to/ }).fill('Hello')
  await ben.keyboard.press('Enter')
  await ada.getByText('Hello', { exact: true }).waitFor()
  await ada.getByRole('button', { name: 'People', exact: true }).click()
  await ada.getByText('Ben wrote in Design').waitFor()
  await ada.getByRole('button', { name: 'Chat', exact: true }).click()
  await ada.getByRole('textbox', { name: /Message to/ }).fill('Hello yourself')
  await ada.keyboard.press('Enter')
  await ben.getByText('Hello yourself').waitFor()
  await expect.poll(() => timesAsked('GET /api/conversations'), { timeout: 30_000 }).toBeGreaterThanOrEqual(3)
  expect(asked.filter((each) => /^GET .*messages$/.test(each)).length).toBeLessThanOrEqual(2)
  await ada.getByRole('button', { name: 'People', exact: true }).click()
  const whereBen = ada.getByRole('listitem').filter({ hasText: 'Ben' }).locator('.where')
  await whereBen.getByText('here').waitFor()
  await ben.getByRole('radio', { name: 'Live' }).check()
  await ben.getByRole('status').filter({ hasText: /^Live/ }).waitFor()
  await card(ada, 'Sign in').focus()
  for (const key of ['Space', 'ArrowLeft', 'Space']) await ada.keyboard.press(key)
  await card(ben, 'Sign in').and(column(ben, 'Review').getByRole('button')).waitFor({ timeout: 5_000 })
  await expect.poll(() => ada.locator('.deeds').textContent()).not.toMatch(/Ben left/)
  await ben.getByRole('radio', { name: 'Polling' }).check()
  await whereBen.getByText('here').waitFor()
  await ben.close({ runBeforeUnload: false })
  await whereBen.getByText('away').waitFor()
}, 120_000)
