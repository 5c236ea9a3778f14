import type { FaultCode } from '../base/index.ts'
import type { MediaSessionId, SideId, SideStats, SrtpSuite } from './model.ts'

/** What happened to media. A few per call, never one per packet. */
export type MediaEvent =
  /** A STUN check with the right credentials arrived: the address pair is validated. */
  | { readonly kind: 'ice-connected'; readonly session: MediaSessionId; readonly side: SideId; readonly remote: string }
  /** No consent (RFC 7675) for 30 s. Media stops until a check arrives. */
  | { readonly kind: 'ice-disconnected'; readonly session: MediaSessionId; readonly side: SideId }
  | {
      readonly kind: 'dtls-connected'
      readonly session: MediaSessionId
      readonly side: SideId
      readonly suite: SrtpSuite
    }
  /** The handshake failed or the fingerprint is wrong: this side will never carry media. */
  | {
      readonly kind: 'failed'
      readonly session: MediaSessionId
      readonly side: SideId
      readonly code: FaultCode
      readonly detail: string
    }
  /** The first valid packet from this side, and from which address. */
  | { readonly kind: 'first-packet'; readonly session: MediaSessionId; readonly side: SideId; readonly remote: string }
  /** Nothing valid arrived for `forMs`, though the peer may send. Reported once; then `resumed`. */
  | { readonly kind: 'silent'; readonly session: MediaSessionId; readonly side: SideId; readonly forMs: number }
  | { readonly kind: 'resumed'; readonly session: MediaSessionId; readonly side: SideId }
  /** The peer said goodbye (RTCP BYE, DTLS close_notify). */
  | { readonly kind: 'ended'; readonly session: MediaSessionId; readonly side: SideId }
  /** A telephone-event finished (RFC 4733). The digit is passed on by the engine; this is for those who watch. */
  | {
      readonly kind: 'dtmf'
      readonly session: MediaSessionId
      readonly side: SideId
      readonly digit: string
      readonly durationMs: number
    }
  /** Counters, every few seconds. */
  | { readonly kind: 'quality'; readonly session: MediaSessionId; readonly sides: readonly SideStats[] }
  /** Every session of this engine is gone. */
  | { readonly kind: 'engine-lost'; readonly detail: string }
