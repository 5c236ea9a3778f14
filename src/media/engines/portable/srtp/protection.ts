/**
 * The transform of a suite: encryption and tag, without any memory of packets. Indices are whole numbers of 48 bits
 * (SRTP) or 31 bits (SRTCP).
 */
export interface Protection {
  /** @param headerBytes Where the payload starts: after CSRCs and extension. */
  sealRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer
  /** `undefined`: not authentic. */
  openRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer | undefined
  sealRtcp(packet: Buffer, ssrc: number, index: number): Buffer
  openRtcp(packet: Buffer, ssrc: number): OpenedRtcp | undefined
  /** The index a protected RTCP packet claims; `undefined`: too short to be one. */
  rtcpIndex(packet: Buffer): number | undefined
  /** What protection adds to a packet, in bytes. */
  readonly rtpOverhead: number
}

export type OpenedRtcp = Buffer

/** Session keys of one direction of SRTP or SRTCP. */
export interface SessionKeys {
  readonly encryption: Buffer
  readonly salt: Buffer
  /** Not used by AEAD suites. */
  readonly authentication: Buffer
}

/** First two words of an RTCP packet: never encrypted (RFC 3711 §3.4). */
export const RTCP_HEADER_BYTES = 8
/** The word with E flag and index. */
export const RTCP_INDEX_BYTES = 4
/** The E flag: the packet is encrypted. */
export const ENCRYPTED = 0x8000_0000
