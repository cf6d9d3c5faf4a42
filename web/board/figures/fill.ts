import { randomUUID } from 'node:crypto'
import type { Board, Card } from '../src/model.js'
import { ask } from './changes.js'
import { Client } from './client.js'

const titles = [
  'Ask what the new names should be',
  'Answer within a day',
  'Find out why it is slow in the morning',
  'Let people print it',
  'Tidy up the drawings',
  'Try it with one hand',
  'Write to those who left',
  'Measure before and after',
]

const text = 'Two drafts by Thursday; the second one without the picture, if it takes long to load.'

/** Fills a board as that of thirty people is: so many cards, in all columns alike. */
export async function fill(url: string, cards: number): Promise<Board> {
  const client = await Client.signIn(url, 'eva')
  const look = async (): Promise<Board> => JSON.parse(await client.get('/api/boards/main'))
  const { columns } = await look()
  for (let i = (await look()).cards.length; i < cards; i++) {
    const title = titles[i % titles.length]
    await ask<Card>(client, 'POST', '/api/cards', {
      id: randomUUID(),
      column: columns[i % columns.length]?.id,
      title,
      text,
    })
  }
  const board = await look()
  client.close()
  return board
}
