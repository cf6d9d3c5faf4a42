import { useEffect, useState } from 'react'

/** Renders every so many seconds, while the page is seen. */
export function useSeconds(every: number): void {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) tick((n) => n + 1)
    }, every * 1_000)
    return () => clearInterval(timer)
  }, [every])
}
