// Who is connected: one page of rows at a time, however many there are. The hub sorts
// and searches; nothing is asked for while nobody looks.

import { change, get } from './api.js'
import { confirm } from './dialog.js'
import { $, cells, el, list, say, whileSeen } from './dom.js'
import { count, full, since } from './format.js'

const rows = 50
let pages = [''] // the after of this page and of those before it
let next = ''
let own = null // the connection that this page has

const draw = list($('connections'), row, c => c.id)

function row({ id }) {
  const [element, name, who, from, topics, lag, at, action] = cells(['', '', '', 'topics', '', 'n', 'action'])
  const self = el('span', { class: 'tag', hidden: true }, 'this page')
  name.append(id, ' ', self)
  const subject = el('span')
  const address = el('span', { class: 'aside' })
  who.append(subject, address)
  const button = el('button', { type: 'button', class: 'small' }, 'Disconnect', el('span', { class: 'away' }, ` connection ${id}`))
  action.append(button)
  return {
    element,
    update(c) {
      self.hidden = id !== own
      say(subject, c.subject ?? 'anonymous')
      subject.className = c.subject ? '' : 'none'
      say(address, c.address ?? '')
      say(from, c.transport)
      from.title = c.userAgent ?? ''
      say(topics, c.filters.join(', '))
      topics.title = c.filters.join('\n')
      const behind = c.lag !== 'none'
      lag.className = behind ? 'level-shed' : ''
      say(lag, behind ? `▲ ${c.lag}` : c.state === 'live' ? 'none' : c.state)
      say(at, since(c.connected))
      at.title = full(c.connected)
      button.onclick = () => disconnect(c)
    },
  }
}

function disconnect(c) {
  confirm({
    title: `Disconnect connection ${c.id}?`,
    about: [
      `It is ${c.subject ? `${c.subject}'s` : 'somebody without a token'}, from ${c.address ?? 'an unknown address'}, and follows ${c.filters.join(', ')}.`,
      'It is told so and ends. It may come again, with its cursor; to keep somebody out, revoke the token.',
    ],
    action: 'Disconnect',
    act: async () => {
      await change('DELETE', `v1/admin/clients/${encodeURIComponent(c.id)}`)
      refresh()
    },
  })
}

function query() {
  const q = new URLSearchParams({ order: $('order').value, limit: rows })
  const search = $('search').value.trim()
  if (search) q.set('search', search)
  if (pages.at(-1)) q.set('after', pages.at(-1))
  return q
}

async function ask() {
  try {
    const page = await get(`v1/admin/clients?${query()}`)
    if (pages.length > 1 && (pages.length - 1) * rows >= page.matching) return restart() // they have left
    next = page.next ?? ''
    draw(page.clients)
    say($('connections-shown'), shown(page))
    say($('connections-trouble'), '')
  } catch (error) {
    if (error.code === 'forbidden' || error.code === 'unauthorised') draw([])
    say($('connections-trouble'), `Connections cannot be shown: ${error.message}`)
  }
  $('previous').disabled = pages.length === 1
  $('next').disabled = next === ''
}

function shown({ clients, matching }) {
  if (clients.length === 0) return $('search').value ? 'None matches.' : 'Nobody is connected.'
  const first = (pages.length - 1) * rows + 1
  return `${count(first)}–${count(first + clients.length - 1)} of ${count(matching)}`
}

const refresh = whileSeen($('connections-panel'), 2_500, ask)

function restart() {
  pages = ['']
  refresh()
}

let typing = 0
$('search').addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(restart, 250)
})
$('order').addEventListener('change', restart)
$('next').addEventListener('click', () => { pages.push(next); refresh() })
$('previous').addEventListener('click', () => { pages.pop(); refresh() })

export function connection(id) {
  own = id
}

export const again = refresh

// clear forgets what somebody has seen who is not signed in any more.
export function clear() {
  pages = ['']
  next = ''
  draw([])
  $('search').value = ''
  for (const id of ['connections-shown', 'connections-trouble']) say($(id), '')
}
