import type { SrtpSuite } from '../../../model.ts'

/** Lengths in bytes; `tag` is that of SRTP, the SRTCP tag of the HMAC suites is always 10 (RFC 3711 §5.2). */
export interface SuiteParameters {
  readonly suite: SrtpSuite
  readonly keyLength: number
  readonly saltLength: number
  readonly tagLength: number
  readonly rtcpTagLength: number
  readonly aead: boolean
}

export interface SrtpOptions {
  readonly suite: SrtpSuite
  readonly masterKey: Buffer
  readonly masterSalt: Buffer
  readonly direction: 'send' | 'receive'
  /** SSRCs kept: of a receiving context (16) the one unused longest gives way, a sending one (64) takes no further. */
  readonly ssrcLimit?: number
}

/** What a context refused since it was made. */
export interface SrtpCounters {
  /** The tag was wrong, or the packet too short to have one. */
  failed: number
  /** The index was seen before, or is older than the replay window. */
  replayed: number
}

/**
 * One direction of SRTP and SRTCP under one master key (RFC 3711, RFC 7714).
 *
 * Packets are never changed in place; what comes back is a new buffer.
 */
export interface SrtpContext {
  readonly suite: SrtpSuite
  readonly counters: Readonly<SrtpCounters>
  /** `undefined`: this sequence number was used before, or there are too many SSRCs: a keystream must not come twice. */
  protectRtp(packet: Buffer): Buffer | undefined
  /** `undefined`: not authentic, or a replay; the counters tell which. Nothing else changed. */
  unprotectRtp(packet: Buffer): Buffer | undefined
  /** `undefined`: not RTCP, or the key is used up after 2^31 packets (RFC 3711 §9.2). */
  protectRtcp(packet: Buffer): Buffer | undefined
  unprotectRtcp(packet: Buffer): Buffer | undefined
}

/** Both directions toward one peer. */
export interface SrtpPair {
  readonly send: SrtpContext
  readonly receive: SrtpContext
}
