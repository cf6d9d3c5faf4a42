// Figures and times for people: short, and of even width in a column.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

export const count = n => whole.format(n ?? 0)

// figure has one decimal place where that says something.
export function figure(n) {
  n = n ?? 0
  return n === 0 || n >= 100 ? whole.format(n) : n < 0.05 ? '<0.1' : tenth.format(n)
}

export const perSecond = n => `${figure(n)}/s`

// duration is of milliseconds, as latencies are.
export function duration(ms) {
  ms = ms ?? 0
  return ms >= 1000 ? `${figure(ms / 1000)} s` : `${figure(ms)} ms`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function bytes(n) {
  n = n ?? 0
  let unit = 0
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024
  return `${unit === 0 ? whole.format(n) : figure(n)} ${units[unit]}`
}

// age is of milliseconds, as connections and levels have it.
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const parts = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([n]) => n > 0)
  if (first < 0) return '0 s'
  const shown = parts.slice(first, first + (first < 2 ? 2 : 1)).filter(([n]) => n > 0)
  return shown.map(([n, unit]) => `${n} ${unit}`).join(' ')
}

export const since = time => age(Date.now() - new Date(time))

// clock is the time of day here, of something that has happened today, most likely.
export const clock = time =>
  new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })

// full is for titles.
export const full = time => new Date(time).toLocaleString([], { dateStyle: 'medium', timeStyle: 'long' })
