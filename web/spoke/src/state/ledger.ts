/** An entity as it is shown. */
export interface LiveItem<Entity> {
  readonly data: Entity
  /** Of the hub's latest event of it that has come; 0 if none has. */
  readonly version: number
  /** Whether a change of our own is in it that the hub has not sent back yet. */
  readonly pending: boolean
}

/** A change that is shown before the hub has sent it back. */
export interface Overlay<Entity> {
  /** Of the event by which it comes back. */
  readonly id: string
  readonly key: string
  /** What it makes of the entity. */
  readonly show: (entity: Entity | undefined) => Entity | undefined
  /** Where the hub has stored it, once that is known, and the cursor of that. */
  readonly offset?: number
  readonly cursor?: string | undefined
}

/**
 * Ledger holds what the hub has said of every key, and what we have changed and the hub
 * has not sent back yet: that is replayed, in order, over whatever the hub says. An
 * overlay ends when its own event comes, or one after it; not when the hub has answered,
 * or what it hides would be seen for a moment.
 */
export class Ledger<Entity> {
  #truth = new Map<string, LiveItem<Entity>>()
  #overlays: readonly Overlay<Entity>[] = []
  /** All of the hub's up to this offset is in. */
  #position = 0

  get overlays(): readonly Overlay<Entity>[] {
    return this.#overlays
  }

  /** What the hub has said of a key. */
  truth(key: string): LiveItem<Entity> | undefined {
    return this.#truth.get(key)
  }

  /** What is shown. */
  view(): ReadonlyMap<string, LiveItem<Entity>> {
    const view = new Map(this.#truth)
    for (const { key, show } of this.#overlays) {
      const shown = view.get(key)
      const data = attempt(show, shown?.data)
      if (data === undefined) view.delete(key)
      else view.set(key, { data, version: this.#truth.get(key)?.version ?? 0, pending: true })
    }
    return view
  }

  /** The hub has changed a key, or removed it. */
  take(key: string, version: number, id: string | undefined, apply: Overlay<Entity>['show']): void {
    const known = this.#truth.get(key)
    if (known === undefined || version > known.version) this.#set(key, version, apply(known?.data))
    this.#position = Math.max(this.#position, version)
    this.#overlays = this.#overlays.filter((overlay) => overlay.id !== id && !this.#has(overlay))
  }

  /** Takes what the hub has of all keys in place of what it said before. */
  replace(all: readonly { key: string; version: number; data: Entity | undefined }[]): void {
    this.#truth = new Map()
    this.#position = 0
    for (const { key, version, data } of all) {
      this.#set(key, version, data)
      this.#position = Math.max(this.#position, version)
    }
    this.#overlays = this.#overlays.filter((overlay) => !this.#has(overlay))
  }

  /** Adds an overlay, or changes it where it is. */
  lay(overlay: Overlay<Entity>): void {
    const known = this.#overlays.some(({ id }) => id === overlay.id)
    if (known) this.#overlays = this.#overlays.map((other) => (other.id === overlay.id ? overlay : other))
    else this.#overlays = [...this.#overlays, overlay]
  }

  /** The hub has stored an overlay's event. Transient ones have no offset, and nothing to wait for. */
  stored(id: string, offset: number | undefined, cursor: string | undefined): void {
    const overlay = this.#overlays.find((other) => other.id === id)
    if (overlay === undefined) return
    if (offset === undefined || offset <= this.#position) this.lift(id)
    else this.lay({ ...overlay, offset, cursor })
  }

  /** All of the hub's up to an offset is in. */
  passed(offset: number): void {
    this.#position = Math.max(this.#position, offset)
    this.#overlays = this.#overlays.filter((overlay) => !this.#has(overlay))
  }

  /** Ends an overlay. False if it has ended already. */
  lift(id: string): boolean {
    if (!this.#overlays.some((overlay) => overlay.id === id)) return false
    this.#overlays = this.#overlays.filter((overlay) => overlay.id !== id)
    return true
  }

  #has({ offset }: Overlay<Entity>): boolean {
    return offset !== undefined && offset <= this.#position
  }

  #set(key: string, version: number, data: Entity | undefined): void {
    if (data === undefined) this.#truth.delete(key)
    else this.#truth.set(key, { data, version, pending: false })
  }
}

/** A change may not fit what has become of the entity: then it is not shown. */
function attempt<Entity>(show: Overlay<Entity>['show'], data: Entity | undefined): Entity | undefined {
  try {
    return show(data)
  } catch {
    return data
  }
}
