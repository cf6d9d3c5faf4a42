import type { WireEvent } from './wire.js'

/** A validator that speaks Standard Schema (https://standardschema.dev), such as zod's or valibot's. */
export interface Schema<Data> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Data> | Promise<SchemaResult<Data>>
    readonly types?: { readonly input: unknown; readonly output: Data } | undefined
  }
}

type SchemaResult<Data> =
  | { readonly value: Data; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** What the data of each type of event is, if nothing is said: anything. */
export type EventMap = { [type: string]: unknown }

export type Schemas<Events extends object> = { readonly [Type in keyof Events]?: Schema<Events[Type]> }

/** An event of a type, with the data that belongs to it: none when the event removes its key. */
export type Typed<Events extends object, Type extends keyof Events & string> = Omit<WireEvent, 'type' | 'data'> & {
  readonly type: Type
  readonly data?: Events[Type]
}

/** An event of any of the types. */
export type EventOf<Events extends object> = {
  [Type in keyof Events & string]: Typed<Events, Type>
}[keyof Events & string]

/** An event whose data is not what its type's schema says. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError'
  readonly event: WireEvent

  constructor(event: WireEvent, why: string) {
    super(`${event.type} in ${event.topic}: ${why}`)
    this.event = event
  }
}

/** The event as its schema has it. Throws an InvalidEventError. */
export function validated<Events extends object>(event: WireEvent, schemas: Schemas<Events>): EventOf<Events> {
  const all = schemas as Schemas<EventMap>
  const schema = Object.hasOwn(all, event.type) ? all[event.type] : undefined
  const removes = event.key !== undefined && event.data === undefined
  if (schema === undefined || removes) return event as EventOf<Events>
  const result = schema['~standard'].validate(event.data)
  if (result instanceof Promise) {
    result.catch(() => {})
    throw new InvalidEventError(
      event,
      'its schema answers later, and events cannot wait: take one that answers at once',
    )
  }
  if (result.issues) throw new InvalidEventError(event, result.issues.map(({ message }) => message).join('; '))
  return { ...event, data: result.value } as EventOf<Events>
}
