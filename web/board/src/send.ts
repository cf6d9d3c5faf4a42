import type { Answers } from './answers.js'
import { type Ask, Refused } from './api.js'
import { merge } from './merge.js'
import type { Card, Column, Message, User } from './model.js'
import type { Outcome } from './outbox.js'
import type { Write } from './overlay.js'

export interface SendOptions {
  /** Asks the API in the name of whose writes they are. */
  readonly ask: Ask
  readonly user: string
  readonly answers: Answers
  /** An edit was brought together with somebody's, by itself. */
  readonly merged: (by: string, card: Card) => void
}

/** How often an edit is merged anew, when others are always faster, before it waits. */
const mostMerges = 5

/** Sends writes to the API, and puts the answers where they are shown. */
export function sender(options: SendOptions): (write: Write, id: string) => Promise<Outcome> {
  return async (write, id) => {
    try {
      return await send(write, id, options)
    } catch (error) {
      if (!(error instanceof Refused)) return { kind: 'later', afterMs: 0 }
      if (error.passing || error.status === 401) return { kind: 'later', afterMs: error.afterMs }
      if (error.status === 409 && error.current) return { kind: 'conflict', current: error.current }
      if (error.status === 404 || error.status === 410)
        return write.do === 'delete' ? { kind: 'done' } : { kind: 'gone' }
      return { kind: 'refused', why: error.message }
    }
  }
}

async function send(write: Write, own: string, options: SendOptions): Promise<Outcome> {
  const { answers, ask } = options
  switch (write.do) {
    case 'create': {
      const { card: id, column, title } = write
      const card = await ask<Card>('POST', 'cards', { id, column, title })
      await answers.take({ of: 'card', card })
      return done(card, options.user)
    }
    case 'edit':
      return edit(write, own, options)
    case 'move': {
      const { to, before } = write
      const answer = await ask<{ card: Card; columns: readonly Column[] }>('POST', `${pathOf(write.card)}/move`, {
        id: own,
        to,
        before,
      })
      await answers.take({ of: 'card', ...answer })
      return done(answer.card, options.user)
    }
    case 'delete':
      await ask<void>('DELETE', `${pathOf(write.card)}?rev=${write.rev}`)
      await answers.take({ of: 'delete', card: write.card })
      return { kind: 'done' }
    case 'say': {
      const { conversation, id, text } = write
      const path = `conversations/${encodeURIComponent(conversation)}/messages`
      await answers.take({ of: 'message', message: await ask<Message>('POST', path, { id, text }) })
      return { kind: 'done' }
    }
    case 'status':
      await answers.take({ of: 'user', user: await ask<User>('PATCH', 'users/me', { status: write.status }) })
      return { kind: 'done' }
  }
}

/** Saves over the rev that was edited. What others have done meanwhile is kept, and asked about if it is the same. */
async function edit(
  write: Extract<Write, { do: 'edit' }>,
  id: string,
  { answers, ask, merged, user }: SendOptions,
): Promise<Outcome> {
  let { rev, changes } = write
  let by: string | undefined
  for (let i = 0; i <= mostMerges; i++) {
    try {
      const card = await ask<Card>('PATCH', pathOf(write.card), { id, rev, changes })
      await answers.take({ of: 'card', card })
      if (by !== undefined) merged(by, card)
      return done(card, user)
    } catch (error) {
      const current = error instanceof Refused && error.status === 409 ? error.current : undefined
      if (current === undefined) throw error
      await answers.take({ of: 'card', card: current })
      const both = merge(write.base, write.changes, current)
      if (both.conflicts.length > 0) return { kind: 'conflict', current }
      if (Object.keys(both.changes).length === 0) return done(current, user)
      if (both.theirs.length > 0 && current.updatedBy !== user) by = current.updatedBy
      rev = current.rev
      changes = both.changes
    }
  }
  return { kind: 'later', afterMs: 0 }
}

function pathOf(card: string): string {
  return `cards/${encodeURIComponent(card)}`
}

/** Somebody else's rev, which an answer that comes late may have, says nothing of what was known here. */
function done({ rev, updatedBy }: Card, user: string): Outcome {
  return updatedBy === user ? { kind: 'done', rev } : { kind: 'done' }
}
