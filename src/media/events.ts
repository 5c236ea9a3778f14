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
  | {
      readonly kind: 'silent'
      readonly session: MediaSessionId
      readonly side: SideId
      readonly forMs: number
      readonly cause: SilenceCause
    }
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
  /** The engine closed a session by itself: nobody claimed it. `sides` are its last counters. */
  | {
      readonly kind: 'closed'
      readonly session: MediaSessionId
      readonly reason: string
      readonly sides: readonly SideStats[]
    }
  /** The process that relays was replaced; `sessions` of them go on. In `gapMs` no packet was relayed. */
  | { readonly kind: 'recovered'; readonly sessions: number; readonly gapMs: number }
  /** Every session of this engine is gone. */
  | { readonly kind: 'engine-lost'; readonly detail: string }

/** What the engine knows of why a side is silent; an engine may tell only the first and the last apart. */
export type SilenceCause =
  /** Nothing ever came: a wrong address in SDP, a firewall, a peer that does not send. */
  | 'never-heard'
  /** ICE consent was lost: the browser's network is gone. */
  | 'no-consent'
  /** Packets come, but from an address that may not. */
  | 'wrong-source'
  /** Packets come, but fail authentication. */
  | 'not-authentic'
  /** Packets came, and do not any more. */
  | 'stopped'
