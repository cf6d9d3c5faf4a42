// Small charts over the last fifteen minutes: lines, an area below the first of them, a
// limit, and a band at the foot while the level was not normal.

import { $, el, say, svg } from './dom.js'
import { clock } from './format.js'

export const span = 15 * 60_000
const width = 300
const height = 72
const gap = 20_000 // without points is a gap in the line

// chart fills the figure with the id. lines are { name, of, dashed }; format is for
// values; limit is a value that something promises; least is the smallest top.
export function chart(id, { title, lines, format, limit, limitName, least = 1 }) {
  const figure = $(id)
  const now = el('span', { class: 'value' })
  const aside = el('span', { class: 'aside' })
  const top = el('span', { class: 'top', 'aria-hidden': 'true' })
  const hint = el('span', { class: 'hint', 'aria-hidden': 'true' })
  const band = svg('g', { class: 'band' })
  const area = svg('path', { class: 'area' })
  const border = svg('line', { class: 'limit', x1: 0, x2: width })
  const cross = svg('line', { class: 'cross', y1: 0, y2: height })
  const drawn = lines.map((line, i) => svg('path', { class: `line line-${i}` }))
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' },
    svg('line', { class: 'base', x1: 0, x2: width, y1: height, y2: height }), band, area, border, ...drawn, cross)
  const keys = lines.length > 1 ? lines.map((line, i) => el('span', { class: `legend legend-${i}` }, line.name)) : []
  figure.replaceChildren(
    el('figcaption', {}, el('h3', {}, title), el('span', { class: 'legends' }, ...keys), now),
    el('div', { class: 'plot' }, drawing, top, hint),
    el('div', { class: 'axis', 'aria-hidden': 'true' }, el('span', {}, '15 min ago'), aside, el('span', {}, 'now')))

  let points = []
  let to = 0
  const x = at => width - ((to - at) / span) * width

  function draw(all) {
    points = all
    if (points.length === 0) return
    to = points.at(-1).time
    const values = points.flatMap(p => lines.map(l => l.of(p)))
    const highest = Math.max(...values)
    const ceiling = Math.max(least, highest * 1.3, limit && highest > limit / 2 ? limit * 1.1 : 0)
    const y = value => height - (Math.min(value, ceiling) / ceiling) * height
    lines.forEach((line, i) => drawn[i].setAttribute('d', path(points, x, p => y(line.of(p)))))
    area.setAttribute('d', filled(points, x, p => y(lines[0].of(p))))
    const shown = limit !== undefined && limit <= ceiling
    border.setAttribute('visibility', shown ? 'visible' : 'hidden')
    if (shown) border.setAttribute('y1', y(limit)), border.setAttribute('y2', y(limit))
    band.replaceChildren(...bands(points, x))
    const last = points.at(-1)
    say(now, lines.map(l => format(l.of(last))).join(' · '))
    say(top, format(ceiling))
    say(aside, shown && limitName ? limitName : '')
    drawing.setAttribute('aria-label', `${title}: ${lines.map(l =>
      `${l.name} is ${format(l.of(last))}, at most ${format(Math.max(...points.map(l.of)))}`).join('; ')}, in the last 15 minutes`)
  }

  drawing.addEventListener('pointermove', event => {
    const box = drawing.getBoundingClientRect()
    const at = to - span * (1 - (event.clientX - box.left) / box.width)
    const near = points.reduce((best, p) => Math.abs(p.time - at) < Math.abs(best.time - at) ? p : best, points[0])
    if (!near) return
    cross.setAttribute('x1', x(near.time))
    cross.setAttribute('x2', x(near.time))
    figure.classList.add('read')
    const level = near.level === 'normal' ? '' : ` · ${near.level}`
    say(hint, `${clock(near.time)}  ${lines.map(l => format(l.of(near))).join(' · ')}${level}`)
  })
  drawing.addEventListener('pointerleave', () => figure.classList.remove('read'))
  return draw
}

const round = n => Math.round(n * 10) / 10

function path(points, x, y) {
  let d = ''
  let before = -Infinity
  for (const p of points) {
    d += `${p.time - before > gap ? 'M' : 'L'}${round(x(p.time))} ${round(y(p))}`
    before = p.time
  }
  return d
}

// filled is the area below the path, in pieces where that has gaps.
function filled(points, x, y) {
  let d = ''
  let before = null
  for (const p of points) {
    if (before === null || p.time - before > gap) {
      if (before !== null) d += `L${round(x(before))} ${height}Z`
      d += `M${round(x(p.time))} ${height}`
    }
    d += `L${round(x(p.time))} ${round(y(p))}`
    before = p.time
  }
  return before === null ? '' : `${d}L${round(x(before))} ${height}Z`
}

function bands(points, x) {
  const all = []
  points.forEach((p, i) => {
    if (p.level === 'normal') return
    const until = Math.min(points[i + 1]?.time ?? p.time, p.time + gap)
    all.push(svg('rect', {
      class: `level-${p.level}`, x: x(p.time), y: height - 4, width: x(until) - x(p.time) + 0.5, height: 4, // and no seams
    }))
  })
  return all
}

// A history is the points that charts are drawn of, oldest first: those that the hub
// remembers, and then one every few seconds of those that come.
export class History {
  #points = []

  past(points) {
    this.#points = points.map(p => ({ ...p, time: Date.parse(p.at) }))
  }

  add(vitals) {
    const time = Date.parse(vitals.at)
    const before = this.#points.at(-2)
    if (before && time - before.time < 5_000) this.#points.pop() // of which there is something newer
    this.#points.push({
      time, level: vitals.service.level, clients: vitals.clients, lagging: vitals.lagging,
      eventsIn: vitals.eventsIn, eventsOut: vitals.eventsOut, stages: vitals.stages, heap: vitals.heap,
    })
    const first = this.#points.findIndex(p => p.time > time - span)
    this.#points.splice(0, Math.max(0, first))
  }

  get points() { return this.#points }
}
