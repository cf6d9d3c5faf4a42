import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api.js'
import type { User } from '../model.js'
import * as queries from '../queries.js'
import { setWho } from '../who.js'
import { Avatar } from './person.js'

export function SignIn() {
  const client = useQueryClient()
  const { data: people = [], error } = useQuery(queries.users(undefined))
  const [trouble, setTrouble] = useState('')
  const signIn = async (user: string) => {
    try {
      setWho(client, await api<User>('POST', 'sign-in', { user }))
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <main className="signin">
      <h1>Board</h1>
      <p>
        A board of cards that several people move at once. It can ask the server for news every 30 seconds, as many
        applications do, or be told of every change at once by an event hub.
      </p>
      <p>Turn the switch to Polling and back to Live, and see what each of them costs. Who are you?</p>
      <ul>
        {people.map(({ id, name }) => (
          <li key={id}>
            <button type="button" className="who" onClick={() => void signIn(id)}>
              <Avatar id={id} name={name} />
              {name}
            </button>
          </li>
        ))}
      </ul>
      <p className="fine">Open it twice, as two people, in two windows: one of them private.</p>
      <p role="alert">{trouble || error?.message}</p>
    </main>
  )
}
