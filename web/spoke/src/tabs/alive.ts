// A tab that has crashed cannot say that it is gone. So each holds a lock of its own
// while it is there; nobody waits for it, since a browser does not rest a page that others wait for.

/** Says that a tab is there, until what it returns is called or the page ends, however it does. */
export function beThere(name: string): () => void {
  let leave = () => {}
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  navigator.locks.request(name, () => left).catch(() => {}) // a page that ends now is gone
  return leave
}

/** The names of all that are there. */
export async function whoIsThere(): Promise<ReadonlySet<string | undefined>> {
  const { held = [], pending = [] } = await navigator.locks.query()
  return new Set([...held, ...pending].map(({ name }) => name))
}
