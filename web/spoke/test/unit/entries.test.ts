import { QueryClient } from '@tanstack/query-core'
import { expectTypeOf, test } from 'vitest'
import { createSpoke, type Draft, type EventOf, type SpokeOptions, type State } from '../../src/index.js'
import { type Binding, bindQueries, whileSilent } from '../../src/query/index.js'
import { useEvents } from '../../src/react/index.js'
import { shareTabs } from '../../src/tabs/index.js'
import { eventSource } from '../../src/transports/eventsource.js'

// What the compiler holds those to who use the entries; nothing of it is called.
interface Events {
  'card.moved': { column: string }
  'card.counted': number
}

test('@nave/spoke: options, drafts, events, states', () => {
  // @ts-expect-error where the hub is has to be said
  const nowhere: SpokeOptions<Events> = {}
  // @ts-expect-error a transport is an object, not its name
  const named: SpokeOptions<Events> = { url: '', transports: ['fetch'] }
  // @ts-expect-error there is no such type
  const unknown: Draft<Events> = { topic: 'a', type: 'card.sold', data: 1 }
  // @ts-expect-error versions are numbers
  const version: Draft<Events> = { topic: 'a', type: 'card.counted', data: 1, ifVersion: '7' }
  void [nowhere, named, unknown, version]

  const narrowed = (event: EventOf<Events>) => {
    if (event.type === 'card.moved') expectTypeOf(event.data).toEqualTypeOf<{ column: string } | undefined>()
    else expectTypeOf(event.data).toEqualTypeOf<number | undefined>()
  }
  expectTypeOf(narrowed).parameter(0).not.toBeAny()

  const state = (is: State) => {
    if (is.name === 'live') expectTypeOf(is.since).toBeNumber()
    // @ts-expect-error only some states have a cause
    void is.cause
    // @ts-expect-error there is no such state
    return is.name === 'open'
  }
  expectTypeOf(state).returns.toBeBoolean()

  const spoke = createSpoke<Events>({ url: 'http://nowhere' })
  // @ts-expect-error a subscriber has to hear events
  void (() => spoke.subscribe('a', { reset() {} }))
  // @ts-expect-error the state is read, not written
  void ((state: State) => (spoke.state = state))
  spoke.close()
})

test('@nave/spoke/tabs: whose tabs they are has to be said', () => {
  expectTypeOf(shareTabs({ identity: 'alice' })).toExtend<NonNullable<SpokeOptions<Events>['tabs']>>()
  // @ts-expect-error else people who sign in one after the other would share a connection
  void (() => shareTabs({}))
})

test('@nave/spoke/eventsource: a transport that is told the types that it is to hear', () => {
  expectTypeOf(eventSource({ types: ['card.moved'] })).toExtend<
    NonNullable<SpokeOptions<Events>['transports']>[number]
  >()
  // @ts-expect-error several
  void (() => eventSource({ types: 'card.moved' }))
})

test('@nave/spoke/react: hooks know the types of events', () => {
  void (() => {
    useEvents<Events>('a', (events) => expectTypeOf(events).toEqualTypeOf<readonly EventOf<Events>[]>())
    // @ts-expect-error what is called has to take events
    useEvents<Events>('a', (text: string) => text)
  })
})

test('@nave/spoke/query: a binding keeps the type of the data', () => {
  const binding: Binding<Events, string[]> = {
    filters: 'a',
    queryKey: ['cards'],
    apply: (cards, event) => (event.type === 'card.moved' ? [...cards, event.data?.column ?? ''] : undefined),
  }
  // @ts-expect-error data of one type does not become another
  const changed: Binding<Events, string[]> = { ...binding, apply: () => 7 }
  void changed
  expectTypeOf(whileSilent).returns.returns.toEqualTypeOf<number | false>()
  // @ts-expect-error the spoke's events are not those of the binding
  void (() => bindQueries(new QueryClient(), createSpoke<{ other: string }>({ url: '' }), binding))
})
