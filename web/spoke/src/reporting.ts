/** Calls what is not ours: what it throws, or its promise rejects with, goes to `fail` and stops nothing. */
export function guarded<T>(f: () => T, fail: (error: unknown) => void): T | undefined {
  try {
    const result = f()
    if (result instanceof Promise) result.catch(fail)
    return result
  } catch (error) {
    fail(error)
    return undefined
  }
}

/** What went wrong, and why. */
export function explained(message: string, cause: unknown): Error {
  return new Error(cause instanceof Error ? `${message}: ${cause.message}` : message, { cause })
}

/** Reports to the application. What throws there is nobody's but the browser's. */
export function reporter(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  return (error) => {
    try {
      ;(onError ?? console.error)(error)
    } catch (thrown) {
      ;(globalThis.reportError ?? console.error)(thrown)
    }
  }
}
