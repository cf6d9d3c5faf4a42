// The busiest topics.

import { $, cells, el, list, say } from './dom.js'
import { perSecond } from './format.js'

let most = 1

const draw = list($('topics'), () => {
  const bar = el('span', { class: 'bar' }, el('span'))
  const [element, name, rate, share] = cells(['topic', 'n', 'share'])
  share.append(bar)
  return {
    element,
    update(t) {
      say(name, t.topic)
      name.title = t.topic
      say(rate, perSecond(t.eventsPerSecond))
      bar.firstChild.style.inlineSize = `${(t.eventsPerSecond / most) * 100}%`
    },
  }
}, t => t.topic)

export function show({ topics }) {
  const busy = (topics ?? []).filter(t => t.eventsPerSecond > 0)
  most = Math.max(...busy.map(t => t.eventsPerSecond), 1e-9)
  draw(busy)
  $('no-topics').hidden = busy.length > 0
  $('topics').closest('table').hidden = busy.length === 0
}
