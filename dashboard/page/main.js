// Who looks, and whether there is something to see: signing in, what a token lacks, a
// hub that is away, and how old all that is on the page is.

import * as actors from './actors.js'
import * as api from './api.js'
import * as breakers from './breakers.js'
import * as connections from './connections.js'
import { $, say } from './dom.js'
import { follow } from './feed.js'
import * as figures from './figures.js'
import { age } from './format.js'
import * as inspector from './inspector.js'
import * as level from './level.js'
import * as topics from './topics.js'

let feed = null
let state = { name: 'connecting' }
let heard = 0 // when the hub last said how it fares

const tell = {
  now(vitals) {
    heard = Date.now()
    for (const part of [level, figures, topics, actors]) part.show(vitals)
    $('page').hidden = false
    status()
  },
  past: figures.past,
  connection: connections.connection,
  state(now) {
    const before = state.name
    state = now
    view()
    status()
    if (before === 'away' && now.name !== 'away') [breakers, connections].forEach(part => part.again())
  },
}

// view shows the page, or why there is none.
function view() {
  const shut = state.name === 'signed-out' || state.name === 'forbidden'
  $('door').hidden = !shut
  $('sections').hidden = shut
  $('sign-out').hidden = !api.hasToken()
  if (!shut) return
  $('page').hidden = true
  inspector.stop()
  for (const part of [inspector, connections, breakers]) part.clear()
  const lacks = state.name === 'forbidden'
  say($('door-title'), lacks ? 'This token does not open the dashboard' : 'Sign in')
  say($('door-why'), lacks || api.hasToken() ? `The hub says: ${state.why}.` : 'The dashboard takes a token that may administer the hub.')
  api.signOut()
  $('sign-out').hidden = true
  $('token').focus()
}

const words = {
  connecting: () => ['Connecting …', 'wait'],
  live: () => ['Live', 'live'],
  polling: () => [`Polling every 2 s: ${state.why}`, 'wait'],
  paused: () => ['Paused while hidden', 'wait'],
  away: () => [`The hub is away: ${state.why}. Trying again in ${age(Math.max(0, state.at - Date.now()) + 999)}`, 'gone'],
  'signed-out': () => ['Signed out', 'wait'],
  forbidden: () => ['Not allowed', 'gone'],
}

// status says how the page fares, and how old what it shows is.
function status() {
  const [text, sign] = words[state.name]()
  const old = Date.now() - heard
  $('status').className = sign
  say($('status-text'), text)
  say($('status-age'), heard && old > 3_000 && sign !== 'live' ? `What you see is ${age(old)} old.` : '')
  $('again').hidden = state.name !== 'away'
  document.documentElement.classList.toggle('stale', heard > 0 && (old > 6_000 || state.name === 'away'))
}

function begin() {
  feed?.stop()
  feed = follow(tell)
}

$('sign-in').addEventListener('submit', event => {
  event.preventDefault()
  const token = $('token').value.trim()
  if (token === '') return
  api.signIn(token)
  $('token').value = ''
  begin()
})
$('sign-out').addEventListener('click', () => {
  feed?.stop()
  api.signOut()
  tell.state({ name: 'signed-out', why: '' })
})
$('again').addEventListener('click', () => feed.again())

setInterval(status, 1_000)
say($('host'), location.host)
begin()
