import type { Profile, SdpCandidate, SdpCrypto, SdpFingerprint, SessionDescription } from '../model.ts'

/** Our own facts that go into an SDP: what the media engine returned for that side. Structurally `media`'s LocalSide. */
export type LocalFacts = WebRtcFacts | RtpFacts

export interface WebRtcFacts {
  readonly kind: 'webrtc'
  readonly ice: { readonly ufrag: string; readonly pwd: string; readonly lite: true }
  readonly candidates: readonly (Pick<SdpCandidate, 'foundation' | 'priority' | 'address' | 'port'> & {
    readonly protocol: string
  })[]
  readonly fingerprint: SdpFingerprint
  /** RTCP feedback the engine answers: `nack`, `transport-cc`. */
  readonly feedback?: readonly string[]
  readonly media: readonly { readonly kind: string; readonly ssrc: number; readonly cname: string }[]
}

export interface RtpFacts {
  readonly kind: 'rtp'
  readonly media: readonly {
    readonly kind: string
    readonly ssrc: number
    readonly cname: string
    readonly address: string
    readonly port: number
    readonly rtcpPort: number
    readonly crypto: readonly SdpCrypto[]
  }[]
}

/** `o=` of one dialog: the id stays, the version grows with each SDP that differs from the one sent before (RFC 3264 §8). */
export interface SessionIdentity {
  readonly sessionId: string
  readonly version: number
}

export interface TranslationPolicy {
  /** Audio codecs we let through, most wanted first, as `name/clock`; default all we know. */
  readonly audioCodecs: readonly string[]
  /** Let video through when both sides have a common codec. */
  readonly video: boolean
  /** SDES-SRTP toward SIP: offer it (`RTP/SAVP`), take it if offered, or never. */
  readonly srtp: 'offer' | 'accept' | 'never'
}

/** What was left out of a translated SDP, and why. For the call's timeline. */
export interface Dropped {
  /** `codec opus/48000`, `medium video`, `attribute a=rid`, … */
  readonly what: string
  readonly why: string
}

export interface Translation {
  readonly description: SessionDescription
  readonly dropped: readonly Dropped[]
}

/**
 * What was agreed before with the peer that gets this SDP, when this is a renegotiation: section order, mids, payload
 * types, header extensions and the DTLS role must stay (RFC 3264 §8, RFC 8829 §5.2.2).
 */
export interface Before {
  readonly ours: SessionDescription
  readonly theirs: SessionDescription
}

export interface OfferTranslation {
  /** The offer that came in from the other leg. */
  readonly offer: SessionDescription
  /** Toward which kind of peer. */
  readonly to: Profile
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly identity: SessionIdentity
  readonly before?: Before
}

export interface AnswerTranslation {
  /** The offer that came in from leg A and waits for this answer. */
  readonly offer: SessionDescription
  /** What we sent to leg B for it, and what B answered. */
  readonly offered: SessionDescription
  readonly answer: SessionDescription
  /** Our facts toward A. */
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly identity: SessionIdentity
  readonly before?: Before
}

/** An answer we make ourselves, for `*43`, `*41` and for legs that keep talking to us. */
export interface LocalAnswer {
  readonly offer: SessionDescription
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly identity: SessionIdentity
  readonly willing: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
  readonly before?: Before
}
