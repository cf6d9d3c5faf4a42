/** Somebody who has the board open, in however many tabs. */
export interface Here {
  readonly user: string
  readonly idle: boolean
}

/** Who is here; undefined where nobody can know. */
export function useHere(): readonly Here[] | undefined {
  return undefined
}
