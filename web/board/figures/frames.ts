export interface Frame {
  readonly type: string
  /** The event's key; empty if it has none. */
  readonly key: string
  /** The rev of what it is about; 0 if it has none. */
  readonly rev: number
  readonly data: string
}

/** Takes a stream of the hub apart, as far as figures need. */
export class Frames {
  readonly #take: (frame: Frame) => void
  #rest = ''

  constructor(take: (frame: Frame) => void) {
    this.#take = take
  }

  push(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const type = /^event: ?(.*)$/m.exec(block)?.[1]
      if (type === undefined) continue
      this.#take({
        type,
        key: /"key":"([^"]*)"/.exec(block)?.[1] ?? '',
        rev: Number(/"rev":(\d+)/.exec(block)?.[1] ?? 0),
        data: /^data: ?(.*)$/m.exec(block)?.[1] ?? '',
      })
    }
  }
}
