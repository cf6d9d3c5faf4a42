import { type Failure, isPassing } from '../problem.js'
import { type Level, streamsAt } from '../wire.js'
import {
  disabledMs,
  offlineMs,
  pollDelay,
  probeDelay,
  promptMs,
  proofMs,
  retryDelay,
  returnMs,
  steadyMs,
  watchdogMs,
} from './delays.js'
import type { Effect, Event, Memory, Named, State, Step, Timer } from './state.js'

/**
 * transition is all that a connection decides: what follows from a state and an
 * event, and what is to be done for it. It is pure and total; an event that means
 * nothing in a state changes nothing.
 */
export function transition(state: State, event: Event): Step {
  return state.name === 'closed' ? [state, []] : (always(state, event) ?? inState(state, event))
}

/** What means the same in every state. */
function always(state: State, event: Event): Step | undefined {
  const { memory } = state
  switch (event.type) {
    case 'close':
      return [{ name: 'closed', memory, ...(event.problem && { problem: event.problem }) }, [stop]]
    case 'want':
      return want(state, event.wanted)
    case 'disable':
      return [{ name: 'disabled', by: 'app', asking: false, memory }, [stop]]
    case 'suspend':
      return isAtRest(state) ? [state, []] : [{ name: 'offline', why: 'suspended', memory }, [stop]]
    case 'online':
      return renewed(with_(state, { online: true }), event)
    case 'offline':
      return wentOffline(with_(state, { online: false }), event)
    case 'visible':
      return renewed(with_(state, { visible: true }), event)
    case 'hidden':
      return [with_(state, { visible: false }), []]
    default:
      return undefined
  }
}

function inState(state: State, event: Event): Step {
  switch (state.name) {
    case 'connecting':
      return connecting(state, event)
    case 'live':
      return live(state, event)
    case 'polling':
      return polling(state, event)
    case 'offline':
      return offline(state, event)
    case 'disabled':
      return disabled(state, event)
    case 'unauthorised':
      return event.type === 'kick' ? begin(fresh(state.memory)) : [state, []]
    default:
      return [state, []]
  }
}

// Connecting.

function connecting(state: Named<'connecting'>, event: Event): Step {
  switch (event.type) {
    case 'sent':
      return [state, state.streaming ? [arm('proof', proofMs)] : []]
    case 'proved':
      return state.streaming ? goLive(state, event) : [state, []]
    case 'level':
      return levelled(state, event)
    case 'retry':
      return [with_(state, { retryMs: event.ms }), []]
    case 'ended':
      return state.streaming ? failed(state, event.failure, event) : [state, []]
    case 'page':
      return state.asking ? startPolling(state, event) : [state, []]
    case 'noPage':
      return state.asking ? noScout({ ...state, asking: false }, event.failure, event) : [state, []]
    case 'examined':
      if (!state.examining) return [state, []]
      return event.problem
        ? [{ name: 'closed', memory: state.memory, problem: event.problem }, [stop]]
        : begin(state.memory, state.cause)
    case 'grown':
      return state.streaming ? begin(state.memory, state.cause) : [state, []]
    case 'kick':
    case 'resume':
      return state.examining ? [state, []] : begin(fresh(state.memory), state.cause)
    case 'timer':
      return connectingTimer(state, event.timer, event)
    default:
      return [state, []]
  }
}

function connectingTimer(state: Named<'connecting'>, timer: Timer, event: Event): Step {
  switch (timer) {
    case 'retry':
      return state.streaming ? [state, []] : openStream(state)
    case 'proof':
      return state.streaming ? failed(state, { kind: 'mute' }, event) : [state, []]
    case 'poll':
      return state.asking ? [state, []] : [{ ...state, asking: true }, [ask(false)]]
    default:
      return [state, []]
  }
}

/** Asks for a stream at once, and forgets what else was under way. */
function begin(memory: Memory, cause?: Failure): Step {
  const [state, effects] = openStream({
    name: 'connecting',
    streaming: false,
    asking: false,
    examining: false,
    memory,
    ...because(cause),
  })
  return [state, [stop, ...effects]]
}

function openStream(state: Named<'connecting'>): Step {
  const { retryAt: _, ...rest } = state
  if (!hasStreams(state.memory)) return [{ ...rest, asking: true }, state.asking ? [] : [ask(false)]]
  return [{ ...rest, streaming: true }, [{ do: 'open', rung: state.memory.rung }]]
}

/** A stream has not come about, or has not lasted. */
function failed(state: Named<'connecting' | 'live'>, failure: Failure, event: Event): Step {
  const memory: Memory = { ...state.memory, attempts: state.memory.attempts + 1 }
  const asking = state.name === 'connecting' && state.asking
  const next: Named<'connecting'> = {
    name: 'connecting',
    streaming: false,
    asking,
    examining: false,
    memory,
    cause: failure,
  }
  const over: Effect[] = [hangUp, disarm('proof'), disarm('watchdog'), disarm('steady')]
  if (failure.kind === 'refused') {
    const { problem } = failure
    if (problem.code === 'unauthorised') return [{ name: 'unauthorised', memory, problem }, [stop]]
    if (problem.code === 'degraded') return degraded(next, problem.level ?? 'polling', over, event.luck * 1_000)
    if (!isPassing(failure)) return [{ ...next, asking: false, examining: true }, [stop, { do: 'examine' }]]
  }
  if (!memory.online) return [{ name: 'offline', why: 'network', memory }, [stop, arm('retry', offlineMs)]]
  if (failure.kind === 'mute' || failure.kind === 'foreign') return mute(next, over, event)
  const floorMs = failure.kind === 'refused' ? (failure.retryAfterMs ?? 0) : 0
  const [waiting, effects] = wait(next, retryDelay(memory, event.luck, floorMs), event)
  // Twice is no accident: see whether pages come.
  const scout = memory.attempts < 2 || asking ? [] : [arm('poll', floorMs)]
  return [waiting, [...over, ...effects, ...scout]]
}

/** The stream is held back on the way: the next transport's turn, and after the last pages'. */
function mute(state: Named<'connecting'>, over: Effect[], event: Event): Step {
  const { memory } = state
  const rung = (memory.rung + 1) % memory.rungs
  const next = { ...state, memory: { ...memory, rung } }
  if (rung !== 0) {
    const [opening, effects] = openStream(next)
    return [opening, [...over, ...effects]]
  }
  const [waiting, effects] = wait({ ...next, asking: true }, retryDelay(memory, event.luck), event)
  return [waiting, [...over, ...effects, ...(state.asking ? [] : [ask(false)])]]
}

function wait(state: Named<'connecting'>, ms: number, event: Event): [Named<'connecting'>, Effect[]] {
  return [{ ...state, retryAt: event.now + ms }, [arm('retry', ms)]]
}

/** The hub has given streams up: the first page comes after a while, for all are told at once. */
function degraded(state: Named<'connecting'>, level: Level, over: readonly Effect[], ms: number): Step {
  const { retryAt: _, ...rest } = state
  const next = { ...rest, streaming: false, memory: { ...state.memory, level } }
  return [next, [...over, disarm('retry'), ...(state.asking ? [] : [arm('poll', ms)])]]
}

/** Nor does a page come. */
function noScout(state: Named<'connecting'>, failure: Failure, event: Event): Step {
  const elsewhere = refusedPage(state, failure, event)
  if (elsewhere) return elsewhere
  if (hasStreams(state.memory)) {
    return state.streaming || state.retryAt !== undefined
      ? [state, []]
      : wait(state, retryDelay(state.memory, event.luck), event)
  }
  const memory = { ...state.memory, attempts: state.memory.attempts + 1 }
  return [{ ...state, memory, cause: failure }, [arm('poll', retryDelay(memory, event.luck, retryAfter(failure)))]]
}

/** What a refusal of a page means wherever it comes; undefined if it may pass. */
function refusedPage(state: State, failure: Failure, event: Event): Step | undefined {
  if (failure.kind !== 'refused') return undefined
  const { memory } = state
  const { problem } = failure
  switch (true) {
    case problem.code === 'unauthorised':
      return [{ name: 'unauthorised', memory, problem }, [stop]]
    case problem.code === 'degraded': {
      const level = problem.level ?? 'off'
      const ms = (failure.retryAfterMs ?? disabledMs) * (1 + event.luck / 2)
      return [{ name: 'disabled', by: 'hub', asking: false, memory: { ...memory, level } }, [stop, arm('poll', ms)]]
    }
    case !isPassing(failure):
      return [
        { name: 'connecting', streaming: false, asking: false, examining: true, memory, cause: failure },
        [stop, { do: 'examine' }],
      ]
    default:
      return undefined
  }
}

// Live.

function goLive(state: Named<'connecting' | 'polling'>, event: Event & { type: 'proved' }): Step {
  const memory = { ...state.memory, heartbeatMs: event.heartbeatMs ?? state.memory.heartbeatMs }
  return [
    { name: 'live', rung: memory.rung, since: event.now, memory },
    [
      { do: 'unask' },
      ...(['retry', 'proof', 'poll', 'probe'] as const).map(disarm),
      arm('watchdog', watchdogMs(memory)),
      arm('steady', steadyMs),
    ],
  ]
}

function live(state: Named<'live'>, event: Event): Step {
  switch (event.type) {
    case 'heartbeat':
      return paced(state, event.heartbeatMs)
    case 'level':
      return levelled(state, event)
    case 'retry':
      return [with_(state, { retryMs: event.ms }), []]
    case 'bye':
      return failed(
        with_(state, { retryMs: Math.max(event.retryMs, 100), attempts: 0 }),
        { kind: 'ended' },
        { ...event, luck: 1 }, // the hub has spread it already
      )
    case 'ended':
      return failed(state, event.failure, event)
    case 'grown':
      return begin(state.memory)
    case 'resume':
      return begin(fresh(state.memory))
    case 'timer':
      if (event.timer === 'watchdog') return failed(state, { kind: 'silent' }, event)
      return event.timer === 'steady' ? [with_(state, { attempts: 0 }), []] : [state, []]
    default:
      return [state, []]
  }
}

function paced(state: Named<'live'>, heartbeatMs: number | undefined): Step {
  if (heartbeatMs === undefined || heartbeatMs === state.memory.heartbeatMs) return [state, []]
  const next = with_(state, { heartbeatMs })
  return [next, [arm('watchdog', watchdogMs(next.memory))]]
}

function levelled(state: Named<'connecting' | 'live'>, event: Event & { type: 'level' }): Step {
  const next = with_(state, { level: event.level })
  if (!event.poll) return next.name === 'live' ? paced(next, event.heartbeatMs) : [next, []]
  const { memory } = next
  const asking = next.name === 'connecting' && next.asking
  return degraded(
    { name: 'connecting', streaming: false, asking, examining: false, memory },
    streamsAt(event.level) ? 'polling' : event.level,
    [hangUp, disarm('proof'), disarm('watchdog'), disarm('steady')],
    event.retryMs,
  )
}

// Polling.

function startPolling(state: Named<'connecting'>, event: Event & { type: 'page' }): Step {
  const memory = { ...state.memory, level: event.level }
  const next: Named<'polling'> = {
    name: 'polling',
    streaming: state.streaming,
    asking: false,
    waits: true,
    failures: 0,
    probes: 0,
    since: event.now,
    memory,
    ...because(state.cause),
  }
  const probe = state.streaming ? [] : probing(next, event.luck)
  const [asked, effects] = askNext(next)
  return [asked, [disarm('retry'), ...probe, ...effects]]
}

function polling(state: Named<'polling'>, event: Event): Step {
  switch (event.type) {
    case 'page':
      return state.asking ? gotPage({ ...state, asking: false }, event) : [state, []]
    case 'noPage':
      return state.asking ? gotNoPage({ ...state, asking: false }, event.failure, event) : [state, []]
    case 'sent':
      return [state, state.streaming ? [arm('proof', proofMs)] : []]
    case 'proved':
      return state.streaming ? goLive(state, event) : [state, []]
    case 'retry':
      return [with_(state, { retryMs: event.ms }), []]
    case 'ended':
      return state.streaming ? probeFailed(state, event.failure, event) : [state, []]
    case 'level':
      return event.poll && state.streaming
        ? probeFailed(with_(state, { level: event.level }), { kind: 'ended' }, event)
        : [with_(state, { level: event.level }), []]
    case 'grown':
      return polledMore(state)
    case 'kick':
    case 'resume':
      return renewed(state, event)
    case 'timer':
      return pollingTimer(state, event.timer, event)
    default:
      return [state, []]
  }
}

function pollingTimer(state: Named<'polling'>, timer: Timer, event: Event): Step {
  switch (timer) {
    case 'poll':
      return state.asking ? [state, []] : askNext(state)
    case 'probe':
      return probe(state)
    case 'proof':
      return state.streaming ? probeFailed(state, { kind: 'mute' }, event) : [state, []]
    default:
      return [state, []]
  }
}

function gotPage(state: Named<'polling'>, event: Event & { type: 'page' }): Step {
  const next = { ...with_(state, { level: event.level }), failures: 0 }
  const back = levelChange(state, next, event.luck)
  // A page that is waited for is followed by the next at once; one that nobody
  // has waited for would make a loop of that.
  if (event.count > 0 || (next.waits && event.tookMs >= promptMs)) {
    const [asked, effects] = askNext(next)
    return [asked, [...back, ...effects]]
  }
  return [next, [...back, arm('poll', pollDelay(next.memory, event.luck))]]
}

/** What a change of the level means for streams. */
function levelChange(before: Named<'polling'>, now: Named<'polling'>, luck: number): Effect[] {
  if (hasStreams(before.memory) === hasStreams(now.memory)) return []
  return hasStreams(now.memory) ? [arm('probe', luck * returnMs)] : [disarm('probe')]
}

function gotNoPage(state: Named<'polling'>, failure: Failure, event: Event): Step {
  const elsewhere = refusedPage(state, failure, event)
  if (elsewhere) return elsewhere
  const failures = state.failures + 1
  if (failures >= 3 && !state.memory.online)
    return [{ name: 'offline', why: 'network', memory: state.memory }, [stop, arm('retry', offlineMs)]]
  if (failures >= 3) return begin(state.memory, failure) // the hub cannot be reached at all
  // Something on the way may end what takes long.
  const waits = state.waits && failures < 2
  const ms = Math.max(pollDelay(state.memory, event.luck, failures - 1), retryAfter(failure))
  return [{ ...state, failures, waits }, [arm('poll', ms)]]
}

function askNext(state: Named<'polling'>): Step {
  return [{ ...state, asking: true }, [disarm('poll'), ask(state.waits)]]
}

/** More is wanted than the page that is waited for, and the stream, were asked for. */
function polledMore(state: Named<'polling'>): Step {
  const [asked, effects] = askNext(state)
  const again: Effect[] = state.streaming ? [hangUp, disarm('proof'), { do: 'open', rung: state.memory.rung }] : []
  return [asked, [...(state.asking ? [{ do: 'unask' } as const] : []), ...effects, ...again]]
}

function probing(state: Named<'polling'>, luck: number): Effect[] {
  return hasStreams(state.memory) ? [arm('probe', probeDelay(state.probes, luck))] : []
}

function probe(state: Named<'polling'>): Step {
  if (state.streaming || !hasStreams(state.memory)) return [state, []]
  return [{ ...state, streaming: true }, [disarm('probe'), { do: 'open', rung: state.memory.rung }]]
}

function probeFailed(state: Named<'polling'>, failure: Failure, event: Event): Step {
  const { memory } = state
  const rung = (memory.rung + 1) % memory.rungs
  const next = { ...with_(state, { rung }), streaming: false, waits: true, probes: state.probes + 1, cause: failure }
  const over: Effect[] = [hangUp, disarm('proof')]
  if (failure.kind !== 'refused') return [next, [...over, ...probing(next, event.luck)]]
  if (failure.problem.code === 'degraded') return [with_(next, { level: failure.problem.level ?? 'polling' }), over]
  const elsewhere = refusedPage(next, failure, event)
  if (elsewhere) return elsewhere
  const ms = Math.max(probeDelay(next.probes, event.luck), retryAfter(failure))
  return [next, [...over, arm('probe', ms)]]
}

// Neither.

function offline(state: Named<'offline'>, event: Event): Step {
  switch (event.type) {
    case 'resume':
      return begin(fresh(state.memory))
    case 'kick':
      return state.why === 'network' ? begin(fresh(state.memory)) : [state, []]
    case 'timer':
      return event.timer === 'retry' && state.why === 'network' ? begin(state.memory) : [state, []]
    default:
      return [state, []]
  }
}

function disabled(state: Named<'disabled'>, event: Event): Step {
  const { memory } = state
  if (state.by === 'app') {
    if (event.type !== 'enable') return [state, []]
    return memory.wanted ? begin(fresh(memory)) : [{ name: 'idle', memory }, [stop]]
  }
  switch (event.type) {
    case 'timer':
      return event.timer === 'poll' && !state.asking ? [{ ...state, asking: true }, [ask(false)]] : [state, []]
    case 'kick':
    case 'resume':
      return state.asking ? [state, []] : [{ ...state, asking: true }, [disarm('poll'), ask(false)]]
    case 'page': {
      if (!state.asking) return [state, []]
      const back: Named<'connecting'> = {
        name: 'connecting',
        streaming: false,
        asking: true,
        examining: false,
        memory: fresh(memory),
      }
      const [next, effects] = startPolling(back, event)
      const soon = hasStreams(next.memory) ? [arm('probe', event.luck * returnMs)] : []
      return [next, [...effects, ...soon]]
    }
    case 'noPage':
      if (!state.asking) return [state, []]
      return (
        refusedPage(state, event.failure, event) ?? [
          { ...state, asking: false },
          [arm('poll', disabledMs * (1 + event.luck / 2))],
        ]
      )
    default:
      return [state, []]
  }
}

/** A reason to hope: what waits for its time does not any longer. */
function renewed(state: State, event: Event): Step {
  switch (state.name) {
    case 'connecting':
      return state.streaming || state.examining || state.retryAt === undefined
        ? [state, []]
        : begin(fresh(state.memory), state.cause)
    case 'polling':
      return probe({ ...state, probes: 0 })
    case 'offline':
      return state.why === 'network' && event.type === 'online' ? begin(fresh(state.memory)) : [state, []]
    default:
      return [state, []]
  }
}

function wentOffline(state: State, event: Event): Step {
  if (isAtRest(state) || state.name === 'offline') return [state, []]
  return [
    { name: 'offline', why: 'network', memory: state.memory },
    [stop, arm('retry', offlineMs * (1 + event.luck / 4))],
  ]
}

function want(before: State, wanted: boolean): Step {
  const state = with_(before, { wanted })
  const { memory } = state
  if (!wanted) {
    if (state.name === 'unauthorised' || (state.name === 'disabled' && state.by === 'app')) return [state, []]
    return [{ name: 'idle', memory }, state.name === 'idle' ? [] : [stop]]
  }
  return state.name === 'idle' ? begin(memory) : [state, []]
}

/** Whether nothing is to happen by itself. */
function isAtRest(state: State): boolean {
  return ['idle', 'disabled', 'unauthorised', 'closed'].includes(state.name)
}

function hasStreams(memory: Memory): boolean {
  return memory.rungs > 0 && streamsAt(memory.level)
}

function fresh(memory: Memory): Memory {
  return { ...memory, attempts: 0, rung: 0 }
}

function with_<S extends State>(state: S, change: Partial<Memory>): S {
  return { ...state, memory: { ...state.memory, ...change } }
}

function because(cause: Failure | undefined): { cause?: Failure } {
  return cause ? { cause } : {}
}

function retryAfter(failure: Failure): number {
  return failure.kind === 'refused' ? (failure.retryAfterMs ?? 0) : 0
}

const stop: Effect = { do: 'stop' }
const hangUp: Effect = { do: 'hangUp' }

function ask(wait: boolean): Effect {
  return { do: 'ask', wait }
}

function arm(timer: Timer, ms: number): Effect {
  return { do: 'arm', timer, ms }
}

function disarm(timer: Timer): Effect {
  return { do: 'disarm', timer }
}
