import type { Measured } from './measure.js'
import type { Usage } from './program.js'
import { mean, quantile } from './statistics.js'

interface Modes {
  readonly polling: Measured
  readonly live: Measured
}

interface Span {
  readonly before: Usage
  readonly after: Usage
}

export interface Run {
  readonly ordinary: Modes
  readonly busy: Modes
  /** As busy, with nobody there to see it. */
  readonly unseen: Measured
  /** The same without a hub. */
  readonly without: Measured
  /** When nothing happens, with the hub and without. */
  readonly rest: { readonly idle: Span; readonly without: Span }
  readonly machine: string
  /** How many processors were busy just before. */
  readonly otherWork: number
  readonly commit: string
  readonly browser: string
}

/** The figures as a document. */
export function report(run: Run): string {
  const { ordinary, busy } = run
  const changes = ordinary.live.load.changesASecond * 60
  return `# What the board costs, polling and live

<!-- Written by \`make board-figures\`. -->

${new Date().toISOString().slice(0, 10)}, commit ${run.commit}: ${run.machine}, Chromium ${run.browser}. Load and board shared the machine, over loopback. Just before, other work kept ${run.otherWork.toFixed(2)} processors busy.

Two of the thirty people had a real tab of the real page in Chromium, each in a browser context of its own, behind a proxy that counts bytes; the others asked for the same without a browser. Every change was made through the board's API, by three people at rates that did not wait for answers, of a board of 40 cards: of ten changes six edit a title (1 event), three move a card to another column (3 events), and one is a message (3 events).

## An ordinary board: 30 people, ${changes.toFixed(0)} changes a minute

Everybody changes something every five minutes. Measured for ${(ordinary.live.minutes * 60).toFixed(0)} s in each mode.

${table(
  ['', 'aim', 'polling', 'live'],
  [
    ['requests a minute, a user', '', ...both(ordinary, requests)],
    ['kB a minute, received by a user', 'under 10, live', ...both(ordinary, received)],
    ['kB a minute, sent by a user', '', ...both(ordinary, sent)],
    ...times(ordinary),
    ['a change of one’s own on the screen, p99', 'under 50 ms', ...both(ordinary, (m) => time(quantile(m.own, 0.99)))],
    ['CPU of the board with its hub', '', ...both(ordinary, cpu)],
  ],
)}

## A hundred events a second

Measured for ${(busy.live.minutes * 60).toFixed(0)} s in each mode: ${both(busy, (m) => `${(m.events / m.minutes / 60).toFixed(0)} events a second`).join(' and ')}.

${table(
  ['', 'aim', 'polling', 'live'],
  [
    ['kB a minute, received by a user', '', ...both(busy, received)],
    ...times(busy),
    ['a change of one’s own on the screen, p99', 'under 50 ms', ...both(busy, (m) => time(quantile(m.own, 0.99)))],
  ],
)}

## What the hub adds

CPU is in percent of one core. The heap is what was alive when garbage was collected last, of the whole process: the database, the API, and the hub.

${table(
  ['', 'CPU', 'RSS', 'heap'],
  [
    ['nothing happens, no hub', ...uses(run.rest.without)],
    ['nothing happens, hub', ...uses(run.rest.idle)],
    ['100 events/s, no hub', ...uses(run.without)],
    ['100 events/s, hub, nobody there', ...uses(run.unseen)],
    ['100 events/s, hub, 30 people polling', ...uses(busy.polling)],
    ['100 events/s, hub, 30 people live', ...uses(busy.live)],
    ['**the hub adds**, 30 people live (aim: under 5 % and 50 MB)', ...added(busy.live, run.without)],
  ],
)}
`
}

/** What of them stands in README.md. */
export function inShort({ ordinary, busy, without }: Run): string {
  const changes = ordinary.live.load.changesASecond * 60
  return table(
    [`30 people, ${changes.toFixed(0)} changes a minute`, 'polling', 'live'],
    [
      ['requests a minute, a user', ...both(ordinary, requests)],
      ['kB a minute, a user', ...both(ordinary, received)],
      ['from a change to the screens of others, p50', ...both(ordinary, (m) => time(quantile(m.shown, 0.5)))],
      ['p99', ...both(ordinary, (m) => time(quantile(m.shown, 0.99)))],
      ['p99 at 100 events a second', ...both(busy, (m) => time(quantile(m.shown, 0.99)))],
      ['what the hub adds to the server then', '', added(busy.live, without).slice(0, 2).join(', ')],
    ],
  )
}

/** README.md with what stands between its marks for figures replaced. */
export function withTable(readme: string, table: string): string {
  const marks = /(<!-- figures of the board -->\n)[\s\S]*?(<!-- end -->)/
  if (!marks.test(readme))
    throw new Error('README.md has no place for the figures of the board: <!-- figures of the board -->')
  return readme.replace(marks, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`)
}

function times(modes: Modes): string[][] {
  const row = (name: string, aim: string, of: 'ages' | 'shown', share: number) => [
    name,
    aim,
    ...both(modes, (m) => time(quantile(m[of], share))),
  ]
  return [
    row('from the database to somebody’s socket, or the frame of a real tab, p50', '', 'ages', 0.5),
    row('p99', '', 'ages', 0.99),
    row('from sending a change to the frame that shows it in a real tab, p50', '', 'shown', 0.5),
    row('p99', 'under 100 ms, live', 'shown', 0.99),
  ]
}

function both(modes: Modes, say: (measured: Measured) => string): [string, string] {
  return [say(modes.polling), say(modes.live)]
}

function requests({ asked, requests, minutes }: Measured): string {
  return (mean([...asked.map((all) => all.length), ...requests]) / minutes).toFixed(1)
}

function received(m: Measured): string {
  return (mean([...m.received, ...m.othersReceived]) / m.minutes / 1_000).toFixed(1)
}

function sent(m: Measured): string {
  return (mean(m.sent) / m.minutes / 1_000).toFixed(1)
}

function share({ before, after }: Span): number {
  return ((after.cpuMs - before.cpuMs) / (after.at - before.at)) * 100
}

function cpu(span: Span): string {
  return `${share(span).toFixed(1)} %`
}

function uses(span: Span): string[] {
  return [cpu(span), megabytes(span.after.rss), megabytes(span.after.heap)]
}

function added(busy: Span, without: Span): string[] {
  return [
    `${(share(busy) - share(without)).toFixed(1)} %`,
    megabytes(busy.after.rss - without.after.rss),
    megabytes(busy.after.heap - without.after.heap),
  ]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function time(ms: number): string {
  if (Number.isNaN(ms)) return '–'
  if (ms === Number.POSITIVE_INFINITY) return 'never'
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
