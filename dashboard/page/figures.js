// The figures that tell at a glance, the charts, the stages, and what is held in memory
// and in the log.

import { chart, History } from './chart.js'
import { $, cells, el, list, say } from './dom.js'
import { bytes, count, duration, perSecond } from './format.js'

const history = new History()

const latency = (name, title, more) => chart(`chart-${name}`, {
  title, format: duration, least: 1, ...more,
  lines: ['p99', 'p50'].map(part => ({ name: part, of: p => p.stages?.find(s => s.name === name)?.[part] ?? 0 })),
})

const charts = [
  latency('propagation', 'Propagation', { limit: 100, limitName: 'promised: 100 ms' }),
  latency('append', 'Log write'),
  latency('queue', 'Wait for the socket'),
  latency('topic', 'Wait for the topic'),
  chart('chart-in', { title: 'Events in', format: perSecond, least: 1, lines: [{ name: 'published', of: p => p.eventsIn }] }),
  chart('chart-out', { title: 'Events out', format: perSecond, least: 1, lines: [{ name: 'delivered', of: p => p.eventsOut }] }),
  chart('chart-clients', {
    title: 'Connections', format: count, least: 4,
    lines: [{ name: 'open', of: p => p.clients }, { name: 'lagging', of: p => p.lagging }],
  }),
  chart('chart-heap', { title: 'Heap', format: bytes, least: 1 << 20, lines: [{ name: 'in use', of: p => p.heap }] }),
]

export function past(points) {
  history.past(points)
}

export function show(v) {
  history.add(v)
  for (const draw of charts) draw(history.points)
  glance(v)
  drawStages(v.stages ?? [])
  drawHoldings(holdings(v))
  say($('log-head'), count(v.head))
  say($('log-oldest'), count(v.oldest))
}

function glance(v) {
  const propagation = v.stages?.find(s => s.name === 'propagation')
  say($('now-clients'), count(v.clients))
  say($('now-lagging'), v.lagging ? `${count(v.lagging)} lagging` : 'none lagging')
  $('now-lagging').classList.toggle('bad', v.lagging > 0)
  say($('now-in'), perSecond(v.eventsIn))
  say($('now-out'), perSecond(v.eventsOut))
  say($('now-p99'), propagation?.count ? duration(propagation.p99) : '–')
  say($('now-p50'), propagation?.count ? `half within ${duration(propagation.p50)}` : 'nothing delivered lately')
  say($('now-heap'), bytes(v.heap))
  say($('now-budget'), v.heapBudget > 0 ? `of ${bytes(v.heapBudget)}` : 'without bound')
  say($('now-scheduling'), duration(v.scheduling))
}

const stageNames = {
  topic: 'topic: waits to be admitted',
  append: 'append: written to the log',
  queue: 'queue: waits for its socket',
  propagation: 'propagation: all of it',
}

const drawStages = list($('stages'), () => {
  const [element, name, p50, p99, n] = cells(['', 'n', 'n', 'n'])
  return {
    element,
    update(s) {
      say(name, stageNames[s.name] ?? s.name)
      say(p50, s.count ? duration(s.p50) : '–')
      say(p99, s.count ? duration(s.p99) : '–')
      say(n, count(s.count))
    },
  }
}, s => s.name)

const holdings = v => [
  { name: 'Heap', used: v.heap, of: v.heapBudget },
  { name: 'Waiting for clients', used: v.clientBytes, of: v.clientBytesLimit },
  { name: 'Waiting for the log', used: v.journalBytes, of: v.journalBytesLimit },
  { name: 'Log on disk', used: v.durableBytes, of: 0 },
  { name: 'Log in memory', used: v.memoryBytes, of: 0 },
]

const drawHoldings = list($('holdings'), () => {
  const bar = el('span', { class: 'bar' }, el('span'))
  const text = el('span')
  const [element, name, value, share] = cells(['', 'n', 'share'])
  value.append(text)
  share.append(bar)
  return {
    element,
    update({ name: title, used, of }) {
      const part = of > 0 ? Math.min(1, used / of) : 0
      say(name, title)
      say(text, of > 0 ? `${bytes(used)} of ${bytes(of)}` : bytes(used))
      bar.hidden = !(of > 0)
      bar.classList.toggle('full', part > 0.75)
      bar.firstChild.style.inlineSize = `${part * 100}%`
    },
  }
}, h => h.name)
