import { GatewayError, type IdSource, type Millis } from '../base/index.ts'
import type { SipEndpointOptions, SipInput, SipOutput } from './endpoint-model.ts'

/**
 * The SIP stack of one node, without sockets and clock. After each `handle`, drain `poll()` until it gives nothing,
 * then sleep until `deadline()` and hand in `{ kind: 'wake' }`.
 */
export interface SipEndpoint {
  handle(input: SipInput, now: Millis): void
  poll(): SipOutput | undefined
  deadline(): Millis | undefined
  counters(): SipCounters
}

export interface SipCounters {
  /** Alive now, those that only absorb repetitions included. */
  readonly clientTransactions: number
  readonly serverTransactions: number
  /** Since the start: messages we repeated, and messages of peers recognised as repetitions. */
  readonly retransmissionsSent: number
  readonly retransmissionsReceived: number
  /** Since the start, by the code of the `rejected` output. */
  readonly rejected: Readonly<Record<string, number>>
  /** Datagrams that are STUN; ignored. */
  readonly stunIgnored: number
}

export function createSipEndpoint(_options: SipEndpointOptions, _deps: { readonly ids: IdSource }): SipEndpoint {
  throw new GatewayError('INTERNAL', 'not there yet')
}
