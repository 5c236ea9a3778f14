import type { IdSource, Millis } from '../../../base/index.ts'
import type { DtlsCertificate } from './dtls/index.ts'
import type { WebRtcMux } from './ice/index.ts'
import type { WebRtcSide } from './webrtc-side.ts'

/** What the sides of all sessions share. */
export interface EngineParts {
  readonly mux: WebRtcMux
  readonly certificate: DtlsCertificate
  readonly ids: IdSource
  readonly consentMs: number
  readonly silenceMs: number
  readonly latch: 'strict' | 'same-ip'
  readonly now: () => Millis
  /** 32 random bits: SSRCs and first timestamps (RFC 3550 §5.1). */
  readonly random32: () => number
  /** Asks for `side.wake` every 20 ms, or no longer. */
  readonly wantWakeups: (side: WebRtcSide, wanted: boolean) => void
  /** A datagram made our code throw: a bug, but no reason to end other calls. */
  readonly onFault: (error: unknown) => void
}
