// The circuit breakers, their last changes, and their reset.

import { change, get } from './api.js'
import { confirm } from './dialog.js'
import { $, cells, el, list, say, whileSeen } from './dom.js'
import { clock, count, full, since } from './format.js'

const states = { closed: ['●', 'normal'], 'half-open': ['◐', 'conserve'], open: ['○', 'polling'] }

const draw = list($('breakers'), row, b => b.name)

function row({ name }) {
  const [element, title, state, at, why, calls, past, action] = cells(['', '', '', 'why', 'n', '', 'action'])
  const changes = el('ol', { class: 'changes' })
  const drawChanges = list(changes, changeRow, c => c.at)
  const summary = el('summary')
  past.append(el('details', {}, summary, changes))
  action.append(el('button', { type: 'button', class: 'small', onclick: () => reset(name) }, 'Reset', el('span', { class: 'away' }, ` breaker ${name}`)))
  say(title, name)
  return {
    element,
    update(b) {
      const [glyph, colour] = states[b.state] ?? ['?', 'shed']
      state.className = `level-${colour}`
      say(state, `${glyph} ${b.state}`)
      say(at, since(b.since))
      at.title = full(b.since)
      say(why, [b.why, b.until && b.state === 'open' ? `until ${clock(b.until)}` : ''].filter(Boolean).join(', ') || '–')
      say(calls, `${count(b.calls)} / ${count(b.failures)} / ${count(b.slow)}`)
      say(summary, `${b.history.length} changes`)
      drawChanges(b.history)
    },
  }
}

function changeRow(c) {
  const element = el('li', {}, el('time', { datetime: c.at, title: full(c.at) }, clock(c.at)), ` ${c.state}${c.why ? `: ${c.why}` : ''}`)
  return { element, update() {} }
}

function reset(name) {
  confirm({
    title: `Reset the breaker ${name}?`,
    about: name === 'log'
      ? 'The log is tried again at once, instead of after its pause. If it still does not work, the breaker opens again.'
      : 'What has opened it is forgotten, and calls go through again. If they fail it opens again.',
    action: 'Reset',
    act: async () => {
      await change('DELETE', `v1/admin/breakers/${encodeURIComponent(name)}`)
      refresh()
    },
  })
}

async function ask() {
  try {
    const { breakers } = await get('v1/admin/breakers')
    draw(breakers)
    say($('breakers-trouble'), '')
  } catch (error) {
    if (error.code === 'forbidden' || error.code === 'unauthorised') draw([])
    say($('breakers-trouble'), `Breakers cannot be shown: ${error.message}`)
  }
}

const refresh = whileSeen($('breakers-panel'), 3_000, ask)

export const again = refresh

// clear forgets what somebody has seen who is not signed in any more.
export function clear() {
  draw([])
  say($('breakers-trouble'), '')
}
