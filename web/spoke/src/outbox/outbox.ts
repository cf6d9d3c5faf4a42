import { Listeners } from '../listeners.js'
import { errorOf, type HubError, type Problem } from '../problem.js'
import { type Draft, type Published, randomId } from '../publisher.js'
import { guarded } from '../reporting.js'
import type { Spoke } from '../spoke.js'
import { chained } from './chain.js'
import { Disk } from './disk.js'
import { Duty, type Letter } from './duty.js'
import type { EnqueueOptions, Handle, Outbox, OutboxOptions } from './index.js'
import type { Ended, Kept, OutboxItem } from './item.js'
import { Sender } from './sender.js'

const mostItems = 1_000
const mostBytes = 5_000_000
/** Of how many items it is remembered that they have ended. */
const mostRemembered = 1_000
/** How long the tab that sends takes to tell what it has done. */
const tellingMs = 3_000
/** How long a disk is left alone that has failed; twice as long each time. */
const reliefMs = 1_000
const reliefCapMs = 60_000

interface Waiter {
  readonly resolve: (published: Published) => void
  readonly reject: (error: Error) => void
}

/**
 * Box is an outbox as one tab has it. What is on the disk is the same for all tabs and
 * read again whenever another has changed it; what the disk does not take is this tab's.
 */
export class Box<Events extends object> implements Outbox<Events> {
  readonly ready: Promise<void>
  readonly #disk: Disk<Events>
  readonly #duty: Duty<Events>
  readonly #sender: Sender<Events>
  readonly #unwatch: () => void
  readonly #tellGivenUp: (item: OutboxItem<Events>) => void
  readonly #listeners: Listeners<[ended?: Ended<Events> | undefined]>
  readonly #waiters = new Map<string, Waiter>()
  readonly #all = new Map<string, OutboxItem<Events>>()
  /** What is on its way to the disk. */
  readonly #storing = new Set<string>()
  /** What the disk has not taken. */
  readonly #unsaved = new Set<string>()
  readonly #ended = new Set<string>()
  /** What is gone from the disk, and has not been told of yet. */
  readonly #lost = new Map<string, OutboxItem<Events>>()
  #searching: ReturnType<typeof setTimeout> | undefined
  #relieving: ReturnType<typeof setTimeout> | undefined
  #reliefMs = reliefMs
  /** The database that was read last. */
  #mark = ''
  /** How often this tab has written: what was read meanwhile may be older. */
  #writes = 0
  #reading: Promise<void> | undefined
  #stale = false
  #broken = false
  #closed = false
  #order = 0
  /** Why the tab that sends pauses, if that is another. */
  #pausedThere: Problem | undefined
  #paused: HubError | undefined
  #items: readonly OutboxItem<Events>[] = []
  #givenUp: readonly OutboxItem<Events>[] = []

  constructor(spoke: Spoke<Events>, options: OutboxOptions<Events>) {
    const name = `nave-outbox/1 ${options.identity}`
    const { conflict } = options
    this.#tellGivenUp = (item) => guarded(() => options.onGivenUp?.(item), spoke.report)
    this.#listeners = new Listeners(spoke.report)
    this.#disk = new Disk(name, () => void this.#read())
    this.#sender = new Sender({
      desk: {
        items: () => this.#items,
        mine: ({ id }) => this.#unsaved.has(id) || (this.#duty.here && !this.#storing.has(id)),
        sent: (item, published) => this.#end({ item, published }),
        dropped: (item) => this.#end({ item }),
        changed: (item) => this.#change(item),
        paused: () => this.#tellPaused(),
      },
      publish: (drafts, how) =>
        drafts.length === 1 && drafts[0] ? spoke.publish(drafts[0], how) : spoke.batch(drafts, how),
      conflictOf: ({ drafts: [first] }) =>
        typeof conflict === 'function' ? conflict : first && conflict?.[first.type],
    })
    this.#duty = new Duty({
      name,
      waiting: () => this.#items.length > 0,
      heard: (letter) => this.#hear(letter),
      changed: () => this.#turn(),
      back: () => void this.#read(),
    })
    let connected = false
    this.#unwatch = spoke.watch(({ name }) => {
      const before = connected
      connected = name === 'live' || name === 'polling'
      if (connected && !before) this.#sender.hurry()
      if (connected && this.#paused) this.resume()
    })
    this.ready = this.#read()
  }

  get items(): readonly OutboxItem<Events>[] {
    return this.#items
  }

  get givenUp(): readonly OutboxItem<Events>[] {
    return this.#givenUp
  }

  get durability(): Kept {
    return this.#broken || this.#unsaved.size > 0 ? 'memory' : 'disk'
  }

  get paused(): HubError | undefined {
    return this.#paused
  }

  watch(listener: (ended?: Ended<Events>) => void): () => void {
    return this.#listeners.add(listener)
  }

  enqueue(drafts: Draft<Events> | readonly Draft<Events>[], options: EnqueueOptions = {}): Handle {
    const id = randomId()
    const sent = new Promise<Published>((resolve, reject) => this.#waiters.set(id, { resolve, reject }))
    sent.catch(() => {}) // what is given up is shown, whether or not somebody waits for it here
    const stored = this.#enqueue(id, drafts, options)
    stored.catch((error: Error) => this.#settle(id, error))
    return { id, stored, sent }
  }

  again(id: string): void {
    const item = this.#all.get(id)
    if (!item?.failure) return
    const { failure: _, ...rest } = item
    void this.#change({ ...rest, at: Date.now(), rebases: 0 }).then(() => this.#sender.pass())
  }

  discard(id: string): void {
    const item = this.#all.get(id)
    if (!item) return
    void this.#end({ item })
  }

  resume(): void {
    this.#sender.resume()
    this.#duty.tell({ kind: 'resume' })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#searching)
    clearTimeout(this.#relieving)
    this.#unwatch()
    this.#duty.close()
    this.#sender.close()
    this.#disk.close()
    this.#listeners.clear()
    for (const id of this.#waiters.keys()) this.#settle(id, new Error('the outbox was closed and keeps the item'))
  }

  async #enqueue(id: string, drafts: Draft<Events> | readonly Draft<Events>[], options: EnqueueOptions): Promise<Kept> {
    if (this.#closed) throw new Error('the outbox is closed')
    const made = this.#itemOf(id, Array.isArray(drafts) ? drafts : [drafts], options)
    await this.ready
    this.#order = Math.max(Date.now(), this.#order + 0.001) // clocks are set back, too
    const item = { ...made, order: this.#order }
    let bytes = item.size
    for (const { size } of this.#all.values()) bytes += size
    if (this.#all.size >= mostItems || bytes > mostBytes) {
      const held = `${this.#all.size} of ${mostItems} items, ${this.#givenUp.length} of them given up`
      throw new Error(`the outbox is full: it holds ${held}, and would have ${bytes} of ${mostBytes} bytes`)
    }
    this.#storing.add(id)
    this.#all.set(id, item)
    this.#tell()
    await this.#write([item])
    this.#storing.delete(id)
    this.#tell()
    this.#sender.pass()
    return this.#unsaved.has(id) ? 'memory' : 'disk'
  }

  /** What is enqueued now, whatever the application makes of it later. */
  #itemOf(
    id: string,
    drafts: readonly Draft<Events>[],
    { lane, chain, note }: EnqueueOptions,
  ): Omit<OutboxItem<Events>, 'order'> {
    const [first] = drafts
    if (first === undefined) throw new Error('there is nothing to publish: enqueue a draft, or several')
    const json = JSON.stringify({ note, drafts: drafts.map((draft) => ({ ...draft, id: draft.id ?? randomId() })) })
    const copy: Pick<OutboxItem<Events>, 'drafts' | 'note'> = JSON.parse(json)
    return {
      ...copy,
      id,
      lane: lane ?? `${first.topic} ${first.key ?? ''}`,
      at: Date.now(),
      size: new TextEncoder().encode(json).length,
      chain: chain === true,
      rebases: 0,
    }
  }

  /** Writes to the disk. What it does not take is this tab's, until it does. */
  async #write(changed: readonly OutboxItem<Events>[], forgotten?: string): Promise<void> {
    this.#writes++
    try {
      await this.#disk.write(changed, forgotten)
      this.#broken = false
      for (const { id } of changed) this.#unsaved.delete(id)
    } catch {
      this.#broken = true
      for (const { id } of changed) if (this.#all.has(id)) this.#unsaved.add(id)
      this.#relieve()
    }
    this.#writes++
    this.#duty.tell({ kind: 'changed' })
  }

  /** What the disk does not take or give now it may later. */
  #relieve(): void {
    if (this.#closed) return
    this.#relieving ??= setTimeout(() => void this.#save(), this.#reliefMs)
  }

  async #save(): Promise<void> {
    this.#relieving = undefined
    this.#reliefMs = Math.min(this.#reliefMs * 2, reliefCapMs)
    await this.#read()
    const unsaved = [...this.#all.values()].filter(({ id }) => this.#unsaved.has(id))
    if (unsaved.length > 0) await this.#write(unsaved)
    if (this.durability === 'disk') this.#reliefMs = reliefMs
    this.#sender.yield() // what is on the disk is sent by one tab
    this.#tell()
  }

  /** Reads what is on the disk, again if that has changed meanwhile. */
  #read(): Promise<void> {
    if (this.#closed) return this.ready
    this.#stale = true
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readAll(): Promise<void> {
    while (this.#stale) {
      this.#stale = false
      const writes = this.#writes
      try {
        const items = await this.#disk.all()
        this.#broken = false
        if (writes === this.#writes) this.#replace(items)
        else this.#stale = true
      } catch {
        this.#broken = true
        this.#relieve()
      }
    }
    this.#tell()
    this.#sender.pass()
  }

  #replace(items: readonly OutboxItem<Events>[]): void {
    if (this.#mark !== '' && this.#mark !== this.#disk.mark) {
      for (const id of this.#all.keys()) this.#unsaved.add(id) // it was deleted, which nobody has meant
      this.#relieve()
    }
    this.#mark = this.#disk.mark
    const before = new Map(this.#all)
    for (const id of before.keys()) if (!this.#unsaved.has(id) && !this.#storing.has(id)) this.#all.delete(id)
    for (const item of items) {
      if (this.#ended.has(item.id) || this.#unsaved.has(item.id)) continue
      this.#all.set(item.id, item)
      this.#order = Math.max(this.#order, item.order)
      if (item.failure && before.get(item.id)?.failure === undefined && before.has(item.id)) this.#failed(item)
    }
    for (const item of before.values()) if (!this.#all.has(item.id)) this.#lost.set(item.id, item)
    if (this.#lost.size > 0) this.#searching ??= setTimeout(() => this.#giveUpSearch(), tellingMs)
  }

  /** Of what is gone from the disk somebody tells how; or nobody, if a tab crashed then, or this one was left. */
  #giveUpSearch(): void {
    this.#searching = undefined
    const lost = [...this.#lost.values()]
    this.#lost.clear()
    for (const item of lost) {
      if (this.#ended.has(item.id) || this.#all.has(item.id)) continue
      this.#settle(item.id, new Error('nobody has told what became of the item'))
      this.#tell({ item })
    }
  }

  async #change(item: OutboxItem<Events>): Promise<void> {
    if (!this.#all.has(item.id)) return // discarded
    this.#all.set(item.id, item)
    await this.#write([item])
    if (item.failure) this.#failed(item)
    this.#tell()
  }

  async #end(ended: Ended<Events>): Promise<void> {
    const { item, published } = ended
    const changed = published ? chained(this.#items, item, published) : []
    this.#forget(item.id)
    for (const other of changed) this.#all.set(other.id, other)
    await this.#write(
      changed.filter(({ id }) => !this.#unsaved.has(id)),
      item.id,
    )
    this.#duty.tell({ kind: 'ended', ended })
    this.#finish(ended)
  }

  #finish(ended: Ended<Events>): void {
    this.#settle(ended.item.id, ended.published ?? new Error('the item was dropped'))
    this.#tell(ended)
  }

  #forget(id: string): void {
    this.#all.delete(id)
    this.#unsaved.delete(id)
    this.#ended.add(id)
    const [oldest] = this.#ended
    if (this.#ended.size > mostRemembered && oldest !== undefined) this.#ended.delete(oldest)
  }

  #failed(item: OutboxItem<Events>): void {
    const { reason, problem } = item.failure ?? { reason: '' }
    this.#settle(item.id, problem ? errorOf({ ...problem, detail: reason }) : new Error(reason))
    this.#tellGivenUp(item)
  }

  #settle(id: string, outcome: Published | Error): void {
    const waiter = this.#waiters.get(id)
    this.#waiters.delete(id)
    if (outcome instanceof Error) waiter?.reject(outcome)
    else waiter?.resolve(outcome)
  }

  #hear(letter: Letter<Events>): void {
    switch (letter.kind) {
      case 'changed':
        return void this.#read()
      case 'ended':
        if (!this.#ended.has(letter.ended.item.id)) {
          this.#forget(letter.ended.item.id)
          this.#finish(letter.ended)
        }
        return
      case 'sends':
        this.#pausedThere = letter.paused
        return this.#tell()
      case 'ask':
        if (this.#duty.here) this.#tellPaused()
        return
      case 'resume':
        return this.#sender.resume()
    }
  }

  /** This tab sends from now on, or does not any more. */
  #turn(): void {
    this.#sender.yield()
    this.#tellPaused()
    void this.#read().then(() => this.#sender.resume())
  }

  #tellPaused(): void {
    if (this.#duty.here) this.#duty.tell({ kind: 'sends', paused: this.#sender.paused })
    this.#tell()
  }

  #tell(ended?: Ended<Events>): void {
    const all = [...this.#all.values()].sort((a, b) => a.order - b.order)
    this.#items = all.filter(({ failure }) => !failure)
    this.#givenUp = all.filter(({ failure }) => failure)
    const problem = this.#sender.paused ?? (this.#duty.here ? undefined : this.#pausedThere)
    if (problem !== this.#paused?.problem) this.#paused = problem && errorOf(problem)
    this.#duty.watch()
    this.#listeners.tell(ended)
  }
}
