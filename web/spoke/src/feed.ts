import type { Frame, Notice } from './frames.js'
import type { State } from './machine/state.js'
import type { Problem } from './problem.js'

/** Who hears what a feed brings. Calls are in order and never nested. */
export interface FeedSink {
  /**
   * All that a stream says, as it comes in and before what follows from it, with when
   * it came: milliseconds of performance.now. Only the tab that has the stream is told.
   */
  heard(said: Frame | Notice, at: number): void
  /** What the cursor says has been heard once this returns. */
  frame(frame: Frame): void
  /** From the next frame on these filters are in force: nothing after the cursor is missing. */
  covers(filters: readonly string[]): void
  state(state: State): void
  /** These filters are refused, and not asked for any more. */
  refused(filters: readonly string[], problem: Problem): void
  /** Something went wrong that stops nothing. */
  warn(message: string, cause?: unknown): void
}

/** Where the frames of a spoke come from: a connection of its own, or another tab's. */
export interface Feed {
  readonly state: State
  /**
   * Says what is wanted, all of it; nothing ends the connection. A cursor asks to
   * begin no later than there; without one a feed that has begun goes on.
   */
  want(filters: readonly string[], cursor: string | undefined): void
  /** Tries now what waits for its time. */
  retry(): void
  disable(): void
  enable(): void
  close(): void
}
