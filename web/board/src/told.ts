/** Something to read: every second part is somebody's words, which are set apart from ours. */
export type Told = readonly string[]

/** A sentence about people's words, as in told`“${card.title}” is deleted`. Two of them, joined, are one. */
export function told(ours: TemplateStringsArray, ...theirs: readonly string[]): Told {
  return ours.flatMap((part, i) => [part, theirs[i] ?? ''])
}

const direction = /[\u202a-\u202e\u2066-\u2069]/g

/** Words without the characters by which they could turn the direction of what is around them, or break lines. */
export function plain(words: string): string {
  return words.replace(direction, '').replace(/\p{Cc}+/gu, ' ')
}
