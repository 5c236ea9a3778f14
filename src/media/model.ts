import type { Secret } from '../base/index.ts'

export type MediaSessionId = string
/** Name of one side of a session, chosen by the caller: `a` for the calling leg, `b1`, `b2`, … for called ones. */
export type SideId = string
export type MediumKind = 'audio' | 'video'

/** A codec with the number it has toward one peer. */
export interface PayloadCodec {
  readonly payloadType: number
  /** As registered, any case: `opus`, `PCMU`, `PCMA`, `G722`, `telephone-event`, `CN`, `VP8`, `H264`, `rtx`. */
  readonly name: string
  /** RTP clock in Hz (8000 for G.722, RFC 3551 §4.5.2). */
  readonly clockRateHz: number
  readonly channels?: number
  readonly fmtp?: string
}

/** One session: two or more sides and who is connected to whom. Nothing flows until `connect`. */
export interface SessionSpec {
  readonly id: MediaSessionId
  readonly sides: readonly SideSpec[]
}

/** What has to exist on our side before the peer is told anything. */
export type SideSpec = WebRtcSideSpec | RtpSideSpec

export interface WebRtcSideSpec {
  readonly kind: 'webrtc'
  readonly id: SideId
  /** In the order of the media sections; all bundled on one port. */
  readonly media: readonly MediumKind[]
}

export interface RtpSideSpec {
  readonly kind: 'rtp'
  readonly id: SideId
  readonly media: readonly MediumKind[]
  /** Where the peer is thought to be (IP address): picks the local address told to it. */
  readonly towards?: string
  /**
   * IP address the peer's signalling comes from. Media may come from there too, after the same proof as from another
   * port: behind a NAT, or on a machine with several addresses, a peer signals an address that its packets do not have.
   */
  readonly signalledFrom?: string
  /**
   * `call` (default): each medium gets its own RTP and RTCP port. `shared`: many calls on one port, told apart by the
   * signalled source, RTCP muxed; only for peers that send from where they say they receive. An engine without shared
   * ports gives own ones.
   */
  readonly ports?: 'call' | 'shared'
}

export interface OpenedSession {
  readonly id: MediaSessionId
  /** In the order of the spec. */
  readonly sides: readonly LocalSide[]
}

/** What we tell the peer of a side. */
export type LocalSide = LocalWebRtcSide | LocalRtpSide

export interface LocalWebRtcSide {
  readonly kind: 'webrtc'
  readonly id: SideId
  readonly ice: { readonly ufrag: string; readonly pwd: string; readonly lite: true }
  readonly candidates: readonly LocalCandidate[]
  readonly fingerprint: Fingerprint
  /** RTCP feedback the engine answers besides requests for pictures: `nack`, `transport-cc`. Absent: none. */
  readonly feedback?: readonly string[]
  /** In the order of `media` of the spec. */
  readonly media: readonly LocalStream[]
}

export interface LocalRtpSide {
  readonly kind: 'rtp'
  readonly id: SideId
  /** In the order of `media` of the spec. */
  readonly media: readonly LocalRtpStream[]
}

/** The one SSRC that leaves toward this peer for the whole call. */
export interface LocalStream {
  readonly kind: MediumKind
  readonly ssrc: number
  readonly cname: string
}

export interface LocalRtpStream extends LocalStream {
  /** Address and ports for `c=`, `m=` and `a=rtcp`. */
  readonly address: string
  readonly port: number
  readonly rtcpPort: number
  /** Our SDES keys, one for each suite we can do, in order of preference; used only if negotiated (RFC 4568). */
  readonly crypto: readonly SdesKey[]
}

/** A host candidate (RFC 8839 §5.1), component 1. */
export interface LocalCandidate {
  readonly foundation: string
  readonly protocol: 'udp' | 'tcp'
  readonly priority: number
  readonly address: string
  readonly port: number
}

export interface Fingerprint {
  /** `sha-256`, `sha-384` or `sha-512`. */
  readonly algorithm: string
  /** Upper-case hex with colons (RFC 8122 §5). */
  readonly value: string
}

export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM'

/** One `a=crypto` line (RFC 4568). */
export interface SdesKey {
  readonly tag: number
  readonly suite: SrtpSuite
  /** Master key and salt, base64 as in `inline:`. */
  readonly key: Secret
}

/** What was negotiated with the peer of a side. Given again in full at each renegotiation. */
export type RemoteSide = RemoteWebRtcSide | RemoteRtpSide

export interface RemoteWebRtcSide {
  readonly kind: 'webrtc'
  readonly ice: { readonly ufrag: string; readonly pwd: string }
  readonly dtls: {
    /** The peer's role: with `active` we are the DTLS server. */
    readonly role: 'active' | 'passive'
    readonly fingerprints: readonly Fingerprint[]
  }
  /** In the order of `media` of the spec. */
  readonly media: readonly RemoteMedium[]
}

export interface RemoteRtpSide {
  readonly kind: 'rtp'
  readonly media: readonly RemoteRtpMedium[]
}

export interface RemoteMedium {
  readonly kind: MediumKind
  /** `false`: the section was refused (port 0) or is not bundled; nothing flows. */
  readonly active: boolean
  /** Whether we may send to the peer, and whether it may send to us (from the direction attributes). */
  readonly send: boolean
  readonly receive: boolean
  /** Codecs the peer wants to get, with its numbers, most wanted first; includes telephone-event and CN. */
  readonly sendCodecs: readonly PayloadCodec[]
  /** Codecs we said we take, with our numbers. Mostly equal to `sendCodecs`. */
  readonly receiveCodecs: readonly PayloadCodec[]
  readonly mid?: string
  /** `a=extmap` id of sdes:mid if agreed. */
  readonly midExtensionId?: number
  /** `a=extmap` id of the transport-wide sequence number if agreed. */
  readonly transportCcExtensionId?: number
  /** Generic NACK was agreed (RFC 4585 §6.2.1). */
  readonly nack?: boolean
  readonly ptimeMs?: number
}

export interface RemoteRtpMedium extends RemoteMedium {
  readonly address: string
  readonly port: number
  /** Where RTCP goes: `port` with rtcp-mux, else `a=rtcp` or port + 1. */
  readonly rtcpAddress: string
  readonly rtcpPort: number
  readonly rtcpMux: boolean
  /** Absent: plain RTP. */
  readonly srtp?: { readonly local: SdesKey; readonly remote: SdesKey }
}

/** To whom a side talks. `echo`, `tone` (at -16 dBm0 or near it) and `silence` are made by the engine. */
export type ConnectedTo =
  | { readonly kind: 'side'; readonly side: SideId }
  | { readonly kind: 'echo' }
  | { readonly kind: 'tone'; readonly frequencyHz: number }
  /** Silence is sent (G.711), so that the peer's NAT and jitter buffer stay alive. */
  | { readonly kind: 'silence' }
  /** Nothing is sent. */
  | { readonly kind: 'nothing' }

export type SessionChange =
  /** Makes local facts for a further side (a further contact rings). */
  | { readonly kind: 'add-side'; readonly side: SideSpec }
  /** Forgets a side and frees its ports. */
  | { readonly kind: 'drop-side'; readonly side: SideId }
  /** Applies what was negotiated. Also hold, resume, codec switch and ICE restart: facts that did not change stay. */
  | { readonly kind: 'remote'; readonly side: SideId; readonly remote: RemoteSide }
  /** New ICE user fragment and password for a WebRTC side (RFC 8839 §4.4.1.1.1: an offer with new credentials). */
  | { readonly kind: 'restart-ice'; readonly side: SideId }
  /** Connects both ways; a side has at most one partner, an older link of either is undone. */
  | { readonly kind: 'connect'; readonly side: SideId; readonly to: ConnectedTo }
  /** Nothing that this side sends is passed on while it is muted; what it hears is not touched. */
  | { readonly kind: 'mute'; readonly side: SideId; readonly muted: boolean }
  /**
   * Sends digits to the peer of this side as telephone-events (RFC 4733), after those that still wait and beside what
   * it hears. Not idempotent: said twice, it is heard twice. Refused for a peer that agreed to no events.
   */
  | {
      readonly kind: 'send-dtmf'
      readonly side: SideId
      /** 1 to 64 of `0`–`9`, `*`, `#`, `A`–`D`. */
      readonly digits: string
      /** Of each digit. Default 100, from 40 to 1_000. */
      readonly durationMs?: number
      /** Between two digits. Default 60, from 30 to 1_000. */
      readonly gapMs?: number
    }

export interface ChangeResult {
  /** Local facts that are new or changed by this change (`add-side`, `restart-ice`); else empty. */
  readonly sides: readonly LocalSide[]
}

export interface SessionSummary {
  readonly id: MediaSessionId
  readonly sides: readonly SideStats[]
}

/** Counters of one side since it was opened. */
export interface SideStats {
  readonly side: SideId
  readonly media: readonly StreamStats[]
  readonly ice?: 'new' | 'checking' | 'connected' | 'disconnected'
  readonly dtls?: 'new' | 'connecting' | 'connected' | 'failed'
  /** Negotiated suite, if media is encrypted. */
  readonly srtpSuite?: SrtpSuite
  /** Address media comes from. */
  readonly remote?: string
}

export interface StreamStats {
  readonly kind: MediumKind
  readonly packetsReceived: number
  readonly bytesReceived: number
  /** Expected minus received, RFC 3550 appendix A.3; may be negative with duplicates. */
  readonly packetsLost: number
  /** RFC 3550 §6.4.1, converted from ticks. */
  readonly jitterMs: number
  readonly packetsSent: number
  readonly bytesSent: number
  /** What the peer's last receiver report said of what we send. */
  readonly remoteLossFraction?: number
  readonly remoteJitterMs?: number
  readonly roundTripMs?: number
  /** Packets that came from a wrong source, failed authentication, were replayed or had an unknown payload type. */
  readonly packetsDiscarded: number
  /** Payload codec last received. */
  readonly codec?: string
  /** Packets that came twice, and those that came after a later one; absent where they are not counted. */
  readonly packetsDuplicated?: number
  readonly packetsReordered?: number
  /** E-model (ITU-T G.107) of what is received from this peer: 0 to 100, and the same as mean opinion score. */
  readonly rFactor?: number
  readonly mos?: number
  /** Time since the last valid packet; absent before the first. */
  readonly silentForMs?: number
}
