import type { Spoke } from '../spoke.js'
import type { Asked, Entry, Ledger } from './ledger.js'
import { causeOf, verdictOf, wayOf } from './words.js'

/** How often it is drawn at most. */
const everyMs = 250
/** How soon what is shown of time is old. */
const oldMs = 1_000
/** Of an event so much is shown. */
const mostText = 4_000
/** Longer than that no stream of this tab's own is silent. */
const silences = 2.5

type Shown = Pick<Spoke<object>, 'state' | 'cursor' | 'watch' | 'retry' | 'disable' | 'enable'>

/** Panel draws what a ledger has, while somebody looks. */
export class Panel {
  readonly #spoke: Shown
  readonly #ledger: Ledger
  readonly #unwatch: () => void
  readonly #facts = new Map<string, HTMLElement>()
  readonly #pill: HTMLButtonElement
  readonly #section: HTMLElement
  readonly #title = make('span', { role: 'status' })
  readonly #sign = make('span', { class: 'sign', 'aria-hidden': 'true' })
  readonly #since = make('small')
  readonly #cause = make('p', { class: 'cause' })
  readonly #again = button('Reconnect', () => this.#reconnect())
  readonly #switch = button('', () => this.#flip())
  readonly #events = make('ol')
  readonly #requests = make('ol')
  readonly #eventCount = make('small')
  readonly #requestCount = make('small')
  readonly #rows = new Map<number, HTMLElement>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #became = Date.now()
  #name: string

  constructor(root: ShadowRoot, spoke: Shown, ledger: Ledger, open: boolean) {
    this.#spoke = spoke
    this.#ledger = ledger
    this.#name = spoke.state.name
    this.#pill = button('', () => this.#toggle())
    this.#pill.className = 'pill'
    this.#section = make('section', { 'aria-label': 'hub connection', id: 'panel' })
    this.#pill.setAttribute('aria-controls', 'panel')
    this.#section.append(this.#header(), this.#list(), ...this.#lists())
    this.#section.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#toggle()
    })
    root.append(this.#section, this.#pill)
    ledger.changed = () => this.#later(everyMs)
    this.#unwatch = spoke.watch(({ name }) => {
      if (name !== this.#name) this.#became = Date.now()
      this.#name = name
      this.#draw()
    })
    this.#show(open)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#unwatch()
  }

  #header(): HTMLElement {
    const heading = make('h2')
    heading.append(this.#sign, this.#title, this.#since)
    const nav = make('nav')
    nav.append(
      this.#again,
      this.#switch,
      button('Clear events', () => this.#ledger.clear()),
    )
    const header = make('header')
    header.append(heading, this.#cause, nav)
    return header
  }

  #list(): HTMLElement {
    const list = make('dl')
    for (const name of ['transport', 'tab', 'level', 'cursor', 'lag', 'latency']) {
      const term = make('dt')
      const value = make('dd')
      term.textContent = name
      this.#facts.set(name, value)
      list.append(term, value)
    }
    return list
  }

  #lists(): HTMLElement[] {
    const head = (text: string, count: HTMLElement) => {
      const heading = make('h3')
      heading.append(text, count)
      return heading
    }
    return [head('Events', this.#eventCount), this.#events, head('Requests', this.#requestCount), this.#requests]
  }

  #toggle(): void {
    this.#show(this.#section.hasAttribute('hidden'))
    this.#pill.focus()
  }

  #show(open: boolean): void {
    this.#section.hidden = !open
    this.#pill.setAttribute('aria-expanded', String(open))
    this.#draw()
  }

  #reconnect(): void {
    const { name } = this.#spoke.state
    if (name !== 'live' && name !== 'polling') return this.#spoke.retry()
    this.#spoke.disable()
    this.#spoke.enable()
  }

  #flip(): void {
    if (this.#isOff()) this.#spoke.enable()
    else this.#spoke.disable()
  }

  #isOff(): boolean {
    const { state } = this.#spoke
    return state.name === 'disabled' && state.by === 'app'
  }

  #later(ms: number): void {
    if (this.#section.hidden) return
    if (ms < oldMs) clearTimeout(this.#timer)
    else if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#draw(), ms)
  }

  #draw(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { state } = this.#spoke
    const { mood, sign } = verdictOf(state)
    const mark = make('span', { class: `sign ${mood}`, 'aria-hidden': 'true' })
    mark.textContent = sign
    this.#pill.replaceChildren(mark, `hub: ${state.name}`)
    if (this.#section.hidden) return
    this.#sign.className = `sign ${mood}`
    say(this.#sign, sign)
    say(this.#title, state.name)
    say(this.#since, `for ${ago(Date.now() - this.#became)}`)
    say(this.#cause, causeOf(state))
    this.#again.disabled = this.#isOff()
    say(this.#switch, this.#isOff() ? 'Enable' : 'Disable')
    this.#drawFacts()
    this.#drawEvents()
    this.#drawRequests()
    this.#later(oldMs)
  }

  #drawFacts(): void {
    const { state, cursor } = this.#spoke
    const ledger = this.#ledger
    const { lag, head } = ledger
    const [p50, p99] = [ledger.latency(0.5), ledger.latency(0.99)]
    const facts: Record<string, string> = {
      transport: wayOf(state),
      tab: this.#tab(),
      level: state.memory.level,
      cursor: cursor ?? 'none',
      lag:
        lag === undefined || (state.name !== 'live' && state.name !== 'polling')
          ? 'not known'
          : lag === 0
            ? 'none: at the head'
            : `${lag} behind the head, ${head}`,
      latency:
        p50 === undefined || p99 === undefined
          ? 'no event yet'
          : `p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms, from published to here, less the quickest way`,
    }
    for (const [name, value] of Object.entries(facts)) {
      const shown = this.#facts.get(name)
      if (shown) say(shown, value)
    }
  }

  /** Whether this tab has the stream. */
  #tab(): string {
    const { state } = this.#spoke
    if (state.name !== 'live') return 'no stream'
    const { heardAt } = this.#ledger
    if (Date.now() - heardAt < silences * state.memory.heartbeatMs) return 'has the stream'
    const patient = Date.now() - this.#became < state.memory.heartbeatMs
    return patient ? 'not known yet' : 'follows another, whose panel shows the events'
  }

  #drawEvents(): void {
    const { entries, events } = this.#ledger
    say(this.#eventCount, `${events} so far`)
    const known = new Set(entries.map(({ serial }) => serial))
    for (const [serial, row] of this.#rows) {
      if (known.has(serial)) continue
      row.remove()
      this.#rows.delete(serial)
    }
    for (const entry of entries) {
      if (this.#rows.has(entry.serial)) continue
      const row = eventRow(entry)
      this.#rows.set(entry.serial, row)
      this.#events.prepend(row)
    }
  }

  #drawRequests(): void {
    const { asked, requests } = this.#ledger
    say(this.#requestCount, `${requests} so far`)
    this.#requests.replaceChildren(...[...asked].reverse().map(requestRow))
  }
}

function eventRow(entry: Entry): HTMLElement {
  const row = make('li')
  const details = make('details')
  const summary = make('summary')
  summary.append(clock(entry.at), text(entry.type), text(entry.about))
  details.append(summary)
  // What nobody looks into is not written out.
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return
    const body = make('pre', { tabindex: '0' })
    const all = JSON.stringify(entry.body, undefined, 1)
    body.textContent = all.length > mostText ? `${all.slice(0, mostText)}…` : all
    details.append(body)
  })
  row.append(details)
  return row
}

function requestRow({ at, method, path, outcome, tookMs }: Asked): HTMLElement {
  const row = make('li', { class: 'row', title: path })
  const result = make('span', { class: 'code' })
  result.textContent = outcome === undefined ? 'under way' : `${outcome} · ${tookMs} ms`
  row.append(clock(at), text(method), text(path), result)
  return row
}

function clock(at: number): HTMLElement {
  const time = make('time')
  time.textContent = new Date(at).toTimeString().slice(0, 8)
  return time
}

function text(of: string): HTMLElement {
  const span = make('span')
  span.textContent = of
  return span
}

/** Says it only if it is news: what is read out would be read out again. */
function say(element: HTMLElement, what: string): void {
  if (element.textContent !== what) element.textContent = what
}

function ago(ms: number): string {
  const s = Math.round(ms / 1000)
  return s < 90 ? `${s} s` : s < 5_400 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3_600)} h`
}

function button(label: string, press: () => void): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = label
  made.addEventListener('click', press)
  return made
}

function make(name: string, attributes: Readonly<Record<string, string>> = {}): HTMLElement {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  return made
}
