/** RFC 3264 §6.1, RFC 4566 §6. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One entry of an `m=` line's format list with its `rtpmap` and `fmtp` (static types filled in, RFC 3551). */
export interface SdpCodec {
  readonly payloadType: number
  readonly name: string
  readonly clockRateHz: number
  readonly channels?: number
  readonly fmtp?: string
  readonly rtcpFeedback?: readonly string[]
}

export interface SdpFingerprint {
  readonly algorithm: string
  readonly value: string
}

/** One `a=crypto` line (RFC 4568). */
export interface SdpCrypto {
  readonly tag: number
  readonly suite: string
  /** Base64 after `inline:`, without lifetime and MKI. */
  readonly key: string
}

export interface SdpCandidate {
  readonly foundation: string
  readonly component: number
  readonly protocol: string
  readonly priority: number
  readonly address: string
  readonly port: number
  readonly type: string
  readonly tcpType?: string
}

export interface SdpExtension {
  readonly id: number
  readonly uri: string
  readonly direction?: string
}

/** A media section with session-level defaults (connection, direction, ICE, DTLS) already applied. */
export interface MediaSection {
  /** `audio`, `video`, `application`, `image`, … */
  readonly kind: string
  /** 0: refused, or offered as refused. */
  readonly port: number
  /** `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`, … as written. */
  readonly protocol: string
  /** Format list as written, for sections that are not RTP. */
  readonly formats: readonly string[]
  readonly codecs: readonly SdpCodec[]
  readonly direction: Direction
  /** From `c=`, '' if there is none; `0.0.0.0` is the old way to hold (RFC 3264 §8.4). */
  readonly address: string
  readonly rtcp?: { readonly port: number; readonly address?: string }
  readonly rtcpMux: boolean
  readonly mid?: string
  readonly ice?: { readonly ufrag: string; readonly pwd: string; readonly lite: boolean }
  readonly candidates: readonly SdpCandidate[]
  readonly setup?: 'active' | 'passive' | 'actpass' | 'holdconn'
  readonly fingerprints: readonly SdpFingerprint[]
  readonly crypto: readonly SdpCrypto[]
  readonly extensions: readonly SdpExtension[]
  readonly ssrcs: readonly number[]
  readonly cname?: string
  readonly msid?: string
  readonly ptimeMs?: number
  readonly maxptimeMs?: number
}

/** An SDP as what it says (RFC 4566, RFC 8866). Plain data. */
export interface SessionDescription {
  readonly origin: {
    readonly username: string
    readonly sessionId: string
    readonly version: string
    readonly address: string
  }
  readonly name: string
  /** Mids of each `a=group:BUNDLE`. */
  readonly bundle: readonly (readonly string[])[]
  readonly media: readonly MediaSection[]
}

/** Which kind of peer an SDP is for: a browser (BUNDLE, ICE, DTLS-SRTP) or a SIP device (plain or SDES RTP). */
export type Profile = 'webrtc' | 'rtp'
