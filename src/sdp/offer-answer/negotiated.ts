import { GatewayError, Secret } from '../../base/index.ts'
import { isPeer } from '../address.ts'
import { isTelephoneEvent, sameCodec, withoutFeedback } from '../codec.ts'
import { isKeyOf, isSuite, type SdesSuite } from '../keys.ts'
import type { MediaSection, SdpCodec, SdpFingerprint, SessionDescription } from '../model.ts'
import { MID_EXTENSION, TRANSPORT_CC_EXTENSION } from '../profile/feedback.ts'
import type { LocalFacts } from '../translate/model.ts'
import { mismatch, peerRole } from './answer.ts'
import { askedDirection, receives, sends } from './direction.ts'

/** What was agreed with a peer, in the words of the media engine (structurally `media`'s `RemoteSide`). */
export type NegotiatedSide = NegotiatedWebRtc | NegotiatedRtp

export interface NegotiatedWebRtc {
  readonly kind: 'webrtc'
  readonly ice: { readonly ufrag: string; readonly pwd: string }
  readonly dtls: { readonly role: 'active' | 'passive'; readonly fingerprints: readonly SdpFingerprint[] }
  readonly media: readonly NegotiatedMedium[]
}

export interface NegotiatedRtp {
  readonly kind: 'rtp'
  readonly media: readonly NegotiatedRtpMedium[]
}

export interface NegotiatedMedium {
  readonly kind: 'audio' | 'video'
  readonly active: boolean
  readonly send: boolean
  readonly receive: boolean
  readonly sendCodecs: readonly NegotiatedCodec[]
  readonly receiveCodecs: readonly NegotiatedCodec[]
  readonly mid?: string
  readonly midExtensionId?: number
  readonly transportCcExtensionId?: number
  /** Generic NACK was agreed for a codec of it. */
  readonly nack?: boolean
  readonly ptimeMs?: number
}

export type NegotiatedCodec = Omit<SdpCodec, 'rtcpFeedback'>

export interface NegotiatedRtpMedium extends NegotiatedMedium {
  readonly address: string
  readonly port: number
  readonly rtcpAddress: string
  readonly rtcpPort: number
  readonly rtcpMux: boolean
  readonly srtp?: { readonly local: NegotiatedKey; readonly remote: NegotiatedKey }
}

export interface NegotiatedKey {
  readonly tag: number
  readonly suite: SdesSuite
  readonly key: Secret
}

export interface Negotiation {
  readonly ours: SessionDescription
  readonly theirs: SessionDescription
  readonly local: LocalFacts
}

/**
 * Puts offer and answer together, whoever offered. One entry for each medium of `local`, in its order.
 *
 * @throws GatewayError `SDP_ANSWER_MISMATCH`: the two do not belong together, or the peer's keys are not there.
 * @throws GatewayError `SDP_UNSUPPORTED`: the peer wants media at a place that is none.
 */
export function negotiated({ ours, theirs, local }: Negotiation): NegotiatedSide {
  const pairs = local.media.map(({ kind }) => pairOf(kind, ours, theirs))
  if (local.kind === 'rtp') return { kind: 'rtp', media: pairs.map(rtpMedium) }
  const live = pairs.find((pair) => isLive(pair))
  const ice = live?.theirs?.ice
  if (!live?.ours || !live.theirs || !ice || live.theirs.fingerprints.length === 0) {
    throw mismatch('the peer gives no ICE credentials or no fingerprint')
  }
  return {
    kind: 'webrtc',
    ice: { ufrag: ice.ufrag, pwd: ice.pwd },
    dtls: { role: peerRole(live.ours, live.theirs), fingerprints: live.theirs.fingerprints },
    media: pairs.map(medium),
  }
}

interface Pair {
  readonly kind: 'audio' | 'video'
  readonly ours: MediaSection | undefined
  readonly theirs: MediaSection | undefined
}

function pairOf(kind: string, ours: SessionDescription, theirs: SessionDescription): Pair {
  const live = ours.media.findIndex((section) => section.kind === kind && section.port !== 0)
  const at = live >= 0 ? live : ours.media.findIndex((section) => section.kind === kind)
  const other = theirs.media[at]
  if (other !== undefined && other.kind !== kind && at >= 0) throw mismatch(`section ${at + 1} is not ${kind}`)
  return { kind: kind === 'video' ? 'video' : 'audio', ours: ours.media[at], theirs: other }
}

function isLive({ ours, theirs }: Pair): boolean {
  return ours !== undefined && theirs !== undefined && ours.port !== 0 && theirs.port !== 0
}

function medium(pair: Pair): NegotiatedMedium {
  const { kind, ours, theirs } = pair
  if (!ours || !theirs || !isLive(pair)) {
    return { kind, active: false, send: false, receive: false, sendCodecs: [], receiveCodecs: [] }
  }
  const agreed: Writable<NegotiatedMedium> = {
    kind,
    active: true,
    send: receives(askedDirection(theirs)) && sends(ours.direction),
    receive: sends(askedDirection(theirs)) && receives(ours.direction),
    sendCodecs: common(theirs.codecs, ours.codecs),
    receiveCodecs: common(ours.codecs, theirs.codecs),
  }
  const mid = theirs.mid ?? ours.mid
  const midExtensionId = agreedExtension(MID_EXTENSION, ours, theirs)
  const transportCcExtensionId = agreedExtension(TRANSPORT_CC_EXTENSION, ours, theirs)
  if (mid !== undefined) agreed.mid = mid
  if (midExtensionId !== undefined) agreed.midExtensionId = midExtensionId
  if (transportCcExtensionId !== undefined) agreed.transportCcExtensionId = transportCcExtensionId
  if (agreesNack(ours, theirs)) agreed.nack = true
  if (theirs.ptimeMs !== undefined) agreed.ptimeMs = theirs.ptimeMs
  return agreed
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function agreedExtension(uri: string, ours: MediaSection, theirs: MediaSection): number | undefined {
  const id = theirs.extensions.find((each) => each.uri === uri)?.id
  return ours.extensions.some((each) => each.uri === uri) ? id : undefined
}

function agreesNack(ours: MediaSection, theirs: MediaSection): boolean {
  return namesNack(ours) && namesNack(theirs)
}

function namesNack({ codecs }: MediaSection): boolean {
  return codecs.some(({ rtcpFeedback }) => rtcpFeedback?.includes('nack') === true)
}

function rtpMedium(pair: Pair): NegotiatedRtpMedium {
  const plain = medium(pair)
  const { ours, theirs } = pair
  if (!ours || !theirs || !plain.active) {
    return { ...plain, address: '0.0.0.0', port: 0, rtcpAddress: '0.0.0.0', rtcpPort: 0, rtcpMux: false }
  }
  if (!isPeer(theirs.address)) throw new GatewayError('SDP_UNSUPPORTED', 'the address in c= is not one of a peer')
  const rtcpMux = ours.rtcpMux && theirs.rtcpMux
  const srtp = srtpOf(ours, theirs)
  return {
    ...plain,
    address: theirs.address,
    port: theirs.port,
    rtcpAddress: rtcpMux ? theirs.address : (theirs.rtcp?.address ?? theirs.address),
    rtcpPort: rtcpMux ? theirs.port : (theirs.rtcp?.port ?? Math.min(theirs.port + 1, 65_535)),
    rtcpMux,
    ...(srtp === undefined ? {} : { srtp }),
  }
}

/** The answer has one line; the offer's line with the same tag belongs to it (RFC 4568 §5.1.3). */
function srtpOf(ours: MediaSection, theirs: MediaSection): NegotiatedRtpMedium['srtp'] {
  const [answer, offer] =
    theirs.crypto.length <= ours.crypto.length ? [theirs.crypto, ours.crypto] : [ours.crypto, theirs.crypto]
  const chosen = answer[0]
  const other = offer.find((each) => each.tag === chosen?.tag && each.suite === chosen.suite)
  if (chosen === undefined || other === undefined) {
    if (/SAVP/i.test(theirs.protocol) || /SAVP/i.test(ours.protocol)) {
      throw mismatch('SRTP is wanted, but the keys of both sides do not fit')
    }
    return undefined
  }
  const [local, remote] = ours.crypto.includes(chosen) ? [chosen, other] : [other, chosen]
  const { suite } = chosen
  if (!isSuite(suite) || !isKeyOf(suite, remote.key)) throw mismatch(`no usable key for SRTP suite ${suite}`)
  return {
    local: { tag: local.tag, suite, key: new Secret(local.key) },
    remote: { tag: remote.tag, suite, key: new Secret(remote.key) },
  }
}

/** The codecs of `of` that `other` has as well; events at another clock only if there are none at the same. */
function common(of: readonly SdpCodec[], other: readonly SdpCodec[]): readonly NegotiatedCodec[] {
  const shared = of.filter((codec) => other.some((each) => sameCodec(each, codec)))
  const events = shared.some(isTelephoneEvent) || !other.some(isTelephoneEvent) ? [] : of.filter(isTelephoneEvent)
  return (events.length === 0 ? shared : [...shared, ...events]).map(withoutFeedback)
}
