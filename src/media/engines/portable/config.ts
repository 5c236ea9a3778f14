import type { IdSource, Millis } from '../../../base/index.ts'

/** An inclusive range of UDP ports. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

/** Bounds of the engine; each defaults to its entry in `LIMITS`. */
export interface PortableLimits {
  readonly sessions?: number
  readonly sidesPerSession?: number
  readonly eventsQueued?: number
}

/** Counted oddities and life-cycle notes; never one line per packet. */
export interface MediaLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Time and timers, so that tests can jump. */
export interface MediaClock {
  /** Monotonic time in ms, with a fraction. */
  now(): Millis
  /** Calls `run` about every `intervalMs`; the returned function stops it. */
  every(intervalMs: number, run: () => void): () => void
}

export interface PortableConfig {
  /** Addresses told to peers; default: the machine's own (loopback only if there is no other). */
  readonly advertise?: readonly string[]
  /** Address the sockets are bound to; default all (`0.0.0.0`), or the advertised one if that is all there is. */
  readonly bind?: string
  /** Ports of the shared WebRTC sockets. Sessions are spread over those that can be bound. */
  readonly webrtcPorts: PortRange
  /** Pool of RTP/RTCP port pairs toward SIP. */
  readonly rtpPorts: PortRange
  readonly limits?: PortableLimits
  /** Rest of a released port pair before it is used again. Default 30_000. */
  readonly quarantineMs?: number
  /** After how long without a valid packet a side that may send is reported `silent`. Default 5_000. */
  readonly silenceMs?: number
  /** How often `quality` is reported, per session. Default 2_000: somebody may be looking at the call. */
  readonly qualityMs?: number
  /** Time without an authenticated check after which we stop sending (RFC 7675 §5.1). Default 30_000. */
  readonly consentMs?: number
  /**
   * Sources accepted on a SIP side besides the signalled address. Default `same-ip`: another port of the signalled
   * IP address is followed after a few valid packets. `strict`: never.
   */
  readonly latch?: 'strict' | 'same-ip'
  readonly ids: IdSource
  readonly clock?: MediaClock
  readonly log?: MediaLog
}
