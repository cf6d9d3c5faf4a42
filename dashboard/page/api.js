// Requests to the hub, with the token of whoever looks. It is kept for this tab alone,
// and goes out as a header: never in a URL, which ends up in logs.

const kept = 'nave.token'

export const hasToken = () => sessionStorage.getItem(kept) !== null
export const signIn = token => sessionStorage.setItem(kept, token)
export const signOut = () => sessionStorage.removeItem(kept)

// A Refused is an answer that is a problem document.
export class Refused extends Error {
  constructor(response, problem) {
    super(problem.detail ?? `the hub answers ${response.status}`)
    this.status = response.status
    this.code = problem.code ?? ''
    this.retryAfter = Number(response.headers.get('Retry-After')) * 1000 || 0
  }
}

// An Away says that there was no answer.
export class Away extends Error {
  constructor() {
    super('the hub cannot be reached')
  }
}

// ask sends a request. Its error is a Refused, an Away, or the reason of the signal.
export async function ask(method, path, { body, accept = 'application/json', signal } = {}) {
  const headers = { Accept: accept }
  const token = sessionStorage.getItem(kept)
  if (token !== null) headers.Authorization = `Bearer ${token}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const response = await fetch(path, {
    method, headers, signal,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store', credentials: 'same-origin', redirect: 'error',
  }).catch(error => {
    throw error instanceof TypeError || error.name === 'TimeoutError' ? new Away() : error
  })
  if (response.ok) return response
  const problem = await response.json().catch(() => ({}))
  throw new Refused(response, problem)
}

export async function get(path, signal) {
  return (await ask('GET', path, { signal: signal ?? AbortSignal.timeout(10_000) })).json()
}

export const change = (method, path, body) => ask(method, path, { body, signal: AbortSignal.timeout(15_000) })

// stream calls event with every line of a subscription, until it ends. It fails if
// nothing comes for longer than patience, and every event may change that.
export async function stream(filters, event, { signal, patience }) {
  const silence = new AbortController()
  const both = AbortSignal.any([signal, silence.signal])
  const query = new URLSearchParams(filters.map(f => ['topic', f]))
  let timer = 0
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(new Silent(patience)), patience)
  }
  try {
    wait()
    const response = await ask('GET', `v1/events?${query}`, { accept: 'application/x-ndjson', signal: both })
    let rest = ''
    for await (const text of pieces(response.body.pipeThrough(new TextDecoderStream()))) {
      wait()
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) if (line !== '') event(JSON.parse(line))
    }
  } finally {
    clearTimeout(timer)
  }
}

export class Silent extends Error {
  constructor(patience) {
    super(`nothing has come for ${patience / 1000} s`)
  }
}

// pieces are those of a stream. Not every browser can iterate over one.
async function* pieces(readable) {
  const reader = readable.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
