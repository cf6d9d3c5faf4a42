// The supervision tree, with what waits in mailboxes and how often actors were restarted.

import { $, cells, list, say } from './dom.js'
import { bytes, count } from './format.js'

// Whose children are whose. A kind that is not here is an application's own.
const parents = {
  journal: 'hub', dispatcher: 'hub', retention: 'hub', breakers: 'hub', breaker: 'breakers', governor: 'hub', presence: 'hub',
  topics: 'hub', topic: 'topics', clients: 'hub', client: 'clients', extensions: 'hub', extension: 'extensions',
}

const order = ['hub', ...Object.keys(parents)]

const depth = kind => kind === 'hub' ? 0 : 1 + depth(parents[kind] ?? 'extensions')

// place puts kinds that are unknown at the end, below extensions.
const place = kind => order.includes(kind) ? order.indexOf(kind) : order.length

const draw = list($('actors'), () => {
  const [element, kind, ...values] = cells(['kind', 'n', 'n', 'n', 'n', 'n', 'n'])
  return {
    element,
    update(a) {
      const deep = depth(a.kind)
      kind.className = `kind depth-${deep}`
      say(kind, a.kind)
      kind.setAttribute('aria-label', deep === 0 ? a.kind : `${a.kind}, below ${parents[a.kind] ?? 'extensions'}`)
      const shown = [count(a.active), count(a.waiting), count(a.fullest), bytes(a.bytes), count(a.refused), count(a.restarts)]
      shown.forEach((text, i) => {
        say(values[i], text)
        values[i].classList.toggle('none', text === '0' || text === '0 B')
        values[i].classList.toggle('bad', i >= 4 && text !== '0')
      })
    },
  }
}, a => a.kind)

export function show({ actors }) {
  draw((actors ?? []).toSorted((a, b) => place(a.kind) - place(b.kind)))
}
