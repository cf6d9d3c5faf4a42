import { useQuery } from '@tanstack/react-query'
import { type SubmitEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useDraft } from '../drafts.js'
import { newId } from '../id.js'
import { messagesWith } from '../overlay.js'
import * as queries from '../queries.js'
import { useStore } from '../store.js'
import { useReading, useUnread } from '../unread.js'
import { useWorkplace } from '../workplace.js'
import { Avatar, usePeople } from './person.js'

export function Chat() {
  const { spoke } = useWorkplace()
  const { data: conversations = [] } = useQuery(queries.conversations(spoke))
  const [chosen, setChosen] = useState<string>()
  const open = conversations.find(({ id }) => id === chosen) ?? conversations[0]
  const unread = useUnread()
  useReading(open)
  return (
    <section className="chat" aria-label="Conversations">
      <fieldset className="rooms" aria-label="Conversation">
        {conversations.map(({ id, title }) => (
          <button key={id} type="button" className="room" aria-pressed={id === open?.id} onClick={() => setChosen(id)}>
            {title}
            {unread.has(id) && <span className="unread"> new</span>}
          </button>
        ))}
      </fieldset>
      {open && <Messages key={open.id} conversation={open.id} title={open.title} newest={open.lastMessage?.id} />}
    </section>
  )
}

interface MessagesProperties {
  readonly conversation: string
  readonly title: string
  /** The last message, as the list of conversations has it. */
  readonly newest: string | undefined
}

function Messages({ conversation, title, newest }: MessagesProperties) {
  const { me, outbox, spoke, track, write } = useWorkplace()
  const { nameOf } = usePeople()
  const { data = [], isSuccess, refetch } = useQuery(queries.messages(spoke, conversation))
  const entries = useStore(outbox.entries)
  const [text, setText] = useDraft(`say ${conversation}`, '')
  const end = useRef<HTMLLIElement>(null)
  const writes = useMemo(() => entries.map((entry) => entry.write), [entries])
  const messages = messagesWith(data, writes, conversation, me.id)
  const last = messages.at(-1)?.id
  const isBehind = spoke === undefined && isSuccess && newest !== undefined && !data.some(({ id }) => id === newest)
  useEffect(() => {
    if (isBehind && newest) void refetch()
  }, [isBehind, newest, refetch])
  useEffect(() => {
    if (last !== undefined) end.current?.scrollIntoView({ block: 'nearest' })
  }, [last])

  const say = (event: SubmitEvent) => {
    event.preventDefault()
    const said = text.trim()
    if (said === '') return
    track('say')
    const id = newId()
    if (write({ do: 'say', conversation, id, text: said, at: new Date().toISOString() })) setText('')
  }

  return (
    <>
      <div className="messages" role="log" aria-label={`Conversation: ${title}`}>
        <ol aria-label={`Messages in ${title}`}>
          {messages.map((message, i) => {
            const follows = messages[i - 1]?.author === message.author
            const waits = !data.includes(message)
            return (
              <li key={message.id} className={follows ? 'message follows' : 'message'} data-waits={waits || undefined}>
                {!follows && <Avatar id={message.author} name={nameOf(message.author)} />}
                {!follows && (
                  <p className="by">
                    <b>{nameOf(message.author)}</b> <time dateTime={message.at}>{clockTime(message.at)}</time>
                  </p>
                )}
                <p className="text">
                  <bdi>{message.text}</bdi>
                  {waits && <small> on its way</small>}
                </p>
              </li>
            )
          })}
          <li ref={end} aria-hidden="true" className="end" />
        </ol>
      </div>
      <form className="say" onSubmit={say}>
        <input
          aria-label={`Message to ${title}`}
          placeholder={`Message to ${title}`}
          value={text}
          maxLength={2_000}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" disabled={text.trim() === ''}>
          Send
        </button>
      </form>
    </>
  )
}

function clockTime(at: string): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
}
