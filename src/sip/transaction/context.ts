import type { IdSource } from '../../base/index.ts'
import type { SipEndpointOptions } from '../endpoint-model.ts'
import type { SendTarget, TransportName } from '../flow.ts'
import { isReliable } from '../flow.ts'
import type { Outbox } from '../outbox.ts'
import type { Deadlines } from './deadlines.ts'
import type { Timers } from './timers.ts'

/** What the client and the server side of the endpoint share. */
export interface TransactionContext {
  readonly options: SipEndpointOptions
  readonly ids: IdSource
  readonly outbox: Outbox
  readonly deadlines: Deadlines
  readonly timers: { readonly reliable: Timers; readonly unreliable: Timers }
}

export function baseTimers(options: SipEndpointOptions): TransactionContext['timers'] {
  const { t1Ms = 500, t2Ms = 4_000, t4Ms = 5_000 } = options.timers ?? {}
  const times = { t1: t1Ms, t2: t2Ms, t4: t4Ms }
  return { reliable: { ...times, reliable: true }, unreliable: { ...times, reliable: false } }
}

export function timersFor({ timers }: TransactionContext, transport: TransportName): Timers {
  return isReliable(transport) ? timers.reliable : timers.unreliable
}

export function transportOf(target: SendTarget): TransportName {
  return target.kind === 'flow' ? target.flow.transport : target.transport
}
