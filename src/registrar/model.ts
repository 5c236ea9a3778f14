import type { ByteString, Millis } from '../base/index.ts'
import type { Flow, HeaderField, SendTarget } from '../sip/index.ts'

/** One contact of a user (RFC 3261 §10), plain data. */
export interface Binding {
  readonly tenant: string
  readonly user: string
  /** Contact URI as registered. */
  readonly uri: ByteString
  readonly flow: Flow
  readonly callId: ByteString
  readonly sequence: number
  readonly expiresAt: Millis
  /** `+sip.instance` and `reg-id` (RFC 5626 §4.2): a device that registers anew takes its old place. */
  readonly instance?: ByteString
  readonly regId?: ByteString
  /** 0 to 1; default 1. */
  readonly q: number
  readonly userAgent?: ByteString
  /** RFC 3327. */
  readonly path: readonly ByteString[]
  /** Where the Contact itself points, if it is the sender's own address and no NAT stands between. */
  readonly address?: SendTarget
  /** The connection it came over has closed: gone at this time unless it registers again, or reached by its address. */
  readonly goneAt?: Millis
  readonly isFlowClosed?: true
}

/** Where a user can be rung now. */
export interface ReachableContact {
  readonly uri: ByteString
  readonly target: SendTarget
  readonly profile: 'webrtc' | 'rtp'
  readonly path: readonly ByteString[]
}

/** A user's contacts, as they were and as they are. */
export type ContactsChanged = (
  who: { readonly tenant: string; readonly user: string },
  change: { readonly before: readonly Binding[]; readonly after: readonly Binding[] },
) => void

export interface RegistrarConfig {
  /** Shortest time accepted; a shorter one is answered 423. Default 30. */
  readonly minExpiresSeconds?: number
  /** Longest time granted. Default 3600; also what is granted if none is asked for. */
  readonly maxExpiresSeconds?: number
  /** How long a contact outlives its connection. Default 10_000. */
  readonly graceMs?: number
  readonly contactsPerUser?: number
  readonly registrations?: number
}

/** What a REGISTER is answered with. */
export interface RegisterResult {
  readonly status: number
  readonly headers: readonly HeaderField[]
  /** Open WebSockets of this user alone whose contact moved to the one of this REGISTER. */
  readonly replacedFlows?: readonly string[]
}
