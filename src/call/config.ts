import type { TranslationPolicy } from '../sdp/index.ts'
import type { OwnAddress, TransportName } from '../sip/index.ts'

/** What the operator decided about calls. Plain data, the same for every call. */
export interface CallConfig {
  /** URI of our Contact toward a peer on that transport, as `sip:192.0.2.1:5060;transport=tcp`. */
  readonly contactFor: Readonly<Partial<Record<TransportName, string>>>
  /** Where a transport has several addresses: all, of which each peer is told the fitting one. */
  readonly own?: readonly OwnAddress[]
  /** Value of `User-Agent` and `Server`. */
  readonly product: string
  /** What an SDP may carry toward each kind of party; a destination's own `srtp` goes before. */
  readonly sdp: Readonly<Record<'user' | 'trunk', TranslationPolicy>>
  /** `connect`: the caller hears what a ringing branch sends. `off`: SDP before the answer is not passed on. */
  readonly earlyMedia: 'connect' | 'off'
  /**
   * How long a target may say nothing at all, not even 100, before the next one is tried, in ms. Where there is no next
   * one, 64·T1 (RFC 3261 §17.1.1.2). Default 6_000.
   */
  readonly silenceMs?: number
  readonly sessionTimer: SessionTimerConfig
  /** Trunks (`tenant/trunk`) that are told who calls in `P-Asserted-Identity` (RFC 3325 trust domain). */
  readonly trustedTrunks: readonly string[]
}

/** Session timers (RFC 4028), in seconds. */
export interface SessionTimerConfig {
  /** The interval we ask for; 0: none. */
  readonly seconds: number
  /** Shorter intervals are refused with 422; at least 90. */
  readonly minSeconds: number
  /** Where `seconds` differs: of a tenant's parties by `tenant`, of a trunk by `tenant/trunk`. */
  readonly of?: Readonly<Record<string, number>>
}
