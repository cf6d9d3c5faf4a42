// The level: which it is, why, since when; and the switch that holds one.

import { change } from './api.js'
import { confirm, open } from './dialog.js'
import { $, cells, el, list, say } from './dom.js'
import { count, full, since } from './format.js'

// What a level gives up, beyond those before it.
const levels = {
  normal: ['●', 'Everything works.'],
  shed: ['◕', 'Transient events are refused, and receipts left out. All else goes on.'],
  conserve: ['◑', 'Besides, the hub saves work: who is behind gets only the latest of each key, signs of life come less often, and long replays become a reset.'],
  polling: ['◔', 'Besides, there are no streams: each is told to poll, and ends. Polls go on from the same cursors, so nothing is missed; publishing goes on.'],
  off: ['○', 'Besides, there are no polls and no state: nobody can read. Durable events are still accepted.'],
}

const names = Object.keys(levels)
const drawLadder = list($('ladder'), ladderStep, name => name)
const drawSignals = list($('signals'), signalRow, s => s.name)

let current = null // the vitals on the page

function ladderStep(name) {
  const element = el('li', { class: `level-${name}` }, el('span', { class: 'glyph', 'aria-hidden': 'true' }, levels[name][0]), name)
  return {
    element,
    update() {
      const level = current.service.level
      if (name === level) element.setAttribute('aria-current', 'true')
      else element.removeAttribute('aria-current')
      element.classList.toggle('given-up', names.indexOf(name) < names.indexOf(level))
    },
  }
}

function signalRow() {
  const [element, name, asks, detail] = cells(['', '', ''])
  return {
    element,
    update(s) {
      say(name, s.name)
      asks.className = `level-${s.level}`
      say(asks, `${levels[s.level]?.[0] ?? ''} ${s.level}`)
      say(detail, s.detail)
    },
  }
}

export function show(vitals) {
  const before = current?.service.level
  current = vitals
  const { level, since: at, reason, pin, signals = [] } = vitals.service
  document.documentElement.dataset.level = level
  $('level-name').className = `level-${level}`
  say($('level-glyph'), levels[level]?.[0] ?? '●')
  say($('level-word'), level)
  say($('level-since'), lasting(at) || 'since the hub started')
  $('level-since').title = lasting(at) && full(at)
  say($('level-means'), meaning(level))
  drawLadder(names)
  say($('pin'), pin ? `Held at ${pin.level} by ${pin.by || 'an operator'}${lasting(pin.at)}${pin.reason ? `: “${pin.reason}”` : ''}` : '')
  say($('reason'), reason && !pin ? `Last change: ${reason}.` : '')
  $('lift').hidden = !pin
  $('streams-off').hidden = level === 'polling' || level === 'off'
  $('why').hidden = signals.length === 0
  drawSignals(signals)
  say($('no-signals'), signals.length > 0 ? '' : calm(level, pin))
  if (before !== undefined && before !== level) announce(level, pin, signals)
}

// lasting is nothing for a time that nobody has noted.
const lasting = at => Date.parse(at) > 0 ? ` for ${since(at)}` : ''

// meaning has the levels before in words of its own.
const meaning = level => (levels[level]?.[1] ?? '').replace(/^Besides, (.)/, (_, first) => first.toUpperCase())

function calm(level, pin) {
  if (level === 'normal') return 'No signal asks for less.'
  if (pin && pin.level !== level) return `No signal asks for this level, and ${pin.level} is pinned: the hub's configuration (NAVE_SSE) allows no better.`
  return pin ? 'No signal asks for this level: the operator does.' : 'No signal asks for this level: it is configured (NAVE_SSE), or improves step by step.'
}

function announce(level, pin, signals) {
  const why = pin ? `held by ${pin.by || 'an operator'}` : signals.map(s => s.detail).join('; ')
  say($('announce'), `The level is now ${level}${why ? `: ${why}` : ''}.`)
}

// choose opens the dialog that holds a level.
function choose(level) {
  const dialog = $('hold')
  const form = dialog.querySelector('form')
  form.reset()
  form.elements.level.value = level
  consequences()
  open(dialog, $('hold-yes'), () =>
    change('PUT', 'v1/admin/level', { level: form.elements.level.value, reason: form.elements.reason.value.trim() }))
}

const connections = n => n === 1 ? 'One connection ends' : `${count(n)} connections end`

// consequences says what the level that is chosen will do now.
function consequences() {
  const form = $('hold').querySelector('form')
  const level = form.elements.level.value
  const now = current?.service.level ?? 'normal'
  const cuts = ['polling', 'off'].includes(level) && !['polling', 'off'].includes(now)
  const streams = current && cuts ? ` ${connections(current.clients)} within seconds, this page's among them: it then polls.` : ''
  const stays = 'It stays until it is lifted or another is held, also over restarts, whatever the signals ask for.'
  say($('hold-means'), level === 'normal'
    ? `The hub gives up nothing, even if signals ask for it. ${stays}`
    : `${meaning(level)}${streams} ${stays}`)
  say($('hold-yes'), ['polling', 'off'].includes(level) && cuts ? `End all streams, hold ${level}` : `Hold ${level}`)
}

$('hold-levels').append(...names.map(name => el('label', { class: `level-${name}` },
  el('input', { type: 'radio', name: 'level', value: name, required: true, onchange: consequences }),
  el('span', { class: 'glyph', 'aria-hidden': 'true' }, levels[name][0]), name)))
$('streams-off').addEventListener('click', () => choose('polling'))
$('hold-another').addEventListener('click', () => choose(current?.service.level ?? 'normal'))
$('lift').addEventListener('click', () => confirm({
  title: 'Lift the pin?',
  about: `The hub is held at ${current.service.pin?.level}. Then the level follows from the signals and the configuration again; where streams are back, clients return to them by themselves.`,
  action: 'Lift the pin',
  act: () => change('DELETE', 'v1/admin/level'),
}))
