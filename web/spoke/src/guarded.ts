/** Calls one who listens: what it throws is reported, and stops nothing. */
export function guarded(f: () => void): void {
  try {
    f()
  } catch (error) {
    console.error(error)
  }
}
