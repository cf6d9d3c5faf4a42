// A look at events as they come: a tail with a filter. It keeps the last few hundred,
// however many come.

import { stream } from './api.js'
import { $, el, plain, say } from './dom.js'
import { clock, count } from './format.js'

const kept = 300
const drawEvery = 200
const patience = 150_000 // heartbeats come every 15 s, and every 45 s at conserve

let attempt = null // what ends the stream; null while there is none
let asked = '' // the filters of it
let waiting = [] // to be drawn
let seen = 0
let passed = 0 // that came too fast to be shown
let paused = false
let drawing = 0

function row(event, at) {
  const { type, topic, key, offset, version, time, data } = event
  const own = type.startsWith('hub.')
  const text = data === undefined ? '' : JSON.stringify(data)
  const body = el('pre', { tabindex: 0 })
  const details = el('details', { class: own ? 'own' : '' },
    el('summary', {},
      el('time', { datetime: time ?? new Date(at).toISOString() }, clock(time ?? at)),
      el('span', { class: 'topic' }, topic ?? 'hub'),
      el('span', { class: 'type' }, type),
      el('span', { class: 'key' }, key ?? ''),
      el('span', { class: 'n' }, offset ? `#${offset}` : ''),
      el('span', { class: 'data' }, text.slice(0, 160))),
    body)
  details.addEventListener('toggle', () => {
    if (details.open) body.textContent = plain(JSON.stringify(event, null, 2))
  }, { once: true })
  return el('li', {}, details)
}

function take(event) {
  if (event.type.startsWith('hub.') && event.type !== 'hub.health' && !$('own').checked) return
  seen++
  waiting.push([event, Date.now()])
  if (waiting.length > kept) {
    waiting.shift()
    passed++
  }
  if (!drawing) drawing = setTimeout(draw, drawEvery)
}

function draw() {
  drawing = 0
  if (!paused) {
    const all = $('events')
    all.prepend(...waiting.reverse().map(([event, at]) => row(event, at)))
    waiting = []
    while (all.childElementCount > kept) all.lastElementChild.remove()
  }
  status()
}

function status() {
  const parts = []
  if (seen) parts.push(`${count(seen)} events`)
  if (paused) parts.push(`paused, ${count(waiting.length)} waiting`)
  if (passed) parts.push(`${count(passed)} passed by unseen`)
  say($('inspector-status'), parts.join(' · '))
  $('clear').disabled = $('events').childElementCount === 0
}

async function start() {
  stop()
  asked = $('filter').value
  const filters = asked.split(/[\s,]+/).filter(Boolean)
  if (filters.length === 0) return
  const mine = attempt = new AbortController()
  running()
  say($('inspector-trouble'), '')
  try {
    await stream(filters, take, { signal: mine.signal, patience })
    if (!mine.signal.aborted) say($('inspector-trouble'), 'The stream has ended. Follow again to go on.')
  } catch (error) {
    if (!mine.signal.aborted) say($('inspector-trouble'), `The stream has ended: ${error.message}`)
  } finally {
    if (attempt === mine) stop()
  }
}

export function stop() {
  attempt?.abort()
  attempt = null
  running()
}

// current reports whether what is followed is what the field says.
const current = () => attempt !== null && $('filter').value === asked

function running() {
  say($('follow'), current() ? 'Stop' : 'Follow')
  $('pause').disabled = attempt === null
  if (attempt === null && paused) pause()
}

function pause() {
  paused = !paused
  say($('pause'), paused ? 'Go on' : 'Pause')
  $('pause').setAttribute('aria-pressed', paused)
  draw()
}

export function clear() {
  $('events').replaceChildren()
  waiting = []
  seen = passed = 0
  say($('inspector-trouble'), '')
  status()
}

$('inspector').addEventListener('submit', event => {
  event.preventDefault()
  if (current()) stop()
  else start()
})
$('filter').addEventListener('input', running)
$('pause').addEventListener('click', pause)
$('clear').addEventListener('click', clear)
