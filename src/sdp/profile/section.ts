import { withoutFeedback } from '../codec.ts'
import type { Direction, MediaSection, SdpCodec, SdpCrypto, SdpExtension } from '../model.ts'
import type { LocalFacts, RtpFacts, WebRtcFacts } from '../translate/model.ts'

/** What a live section says besides our own facts. */
export interface SectionPlan {
  readonly kind: string
  readonly protocol: string
  readonly codecs: readonly SdpCodec[]
  readonly direction: Direction
  readonly mid?: string
  readonly ptimeMs?: number
  /** WebRTC only. */
  readonly setup?: 'actpass' | 'active' | 'passive'
  readonly extensions?: readonly SdpExtension[]
  /** RTP only: our keys, if SRTP is offered or was agreed. */
  readonly crypto?: readonly SdpCrypto[]
  /** An answer has it only if the offer had (RFC 5761 §5.1.1). Default: toward a browser, not toward a SIP device. */
  readonly rtcpMux?: boolean
}

/** A section with our address and keys. Undefined if the engine has no stream of that kind. */
export function liveSection(plan: SectionPlan, local: LocalFacts): MediaSection | undefined {
  return local.kind === 'webrtc' ? webRtcSection(plan, local) : rtpSection(plan, local)
}

/** BUNDLE, rtcp-mux, ICE-lite with host candidates, DTLS-SRTP (RFC 8829 §5.2.1). */
function webRtcSection(plan: SectionPlan, local: WebRtcFacts): MediaSection | undefined {
  const stream = local.media.find((each) => each.kind === plan.kind)
  const [first] = local.candidates
  if (!stream) return undefined
  return {
    kind: plan.kind,
    port: first?.port ?? 9,
    protocol: plan.protocol,
    formats: formatsOf(plan.codecs),
    codecs: plan.codecs,
    direction: plan.direction,
    address: first?.address ?? '0.0.0.0',
    rtcpMux: plan.rtcpMux ?? true,
    ...(plan.mid === undefined ? {} : { mid: plan.mid }),
    ice: local.ice,
    candidates: local.candidates.map((each) => ({
      foundation: each.foundation,
      component: 1,
      protocol: each.protocol,
      priority: each.priority,
      address: each.address,
      port: each.port,
      type: 'host',
      ...(each.protocol === 'tcp' ? { tcpType: 'passive' } : {}),
    })),
    ...(plan.setup === undefined ? {} : { setup: plan.setup }),
    fingerprints: [local.fingerprint],
    crypto: [],
    extensions: plan.extensions ?? [],
    // Browsers make a track of it, and some drop packets of an SSRC they were not told.
    ssrcs: [stream.ssrc],
    cname: stream.cname,
    msid: `${stream.cname} ${plan.kind}`,
    ...(plan.ptimeMs === undefined ? {} : { ptimeMs: plan.ptimeMs }),
  }
}

/** Plain or SDES RTP: an address, a port and an RTCP port, nothing of ICE or DTLS. */
function rtpSection(plan: SectionPlan, local: RtpFacts): MediaSection | undefined {
  const stream = local.media.find((each) => each.kind === plan.kind)
  if (!stream) return undefined
  const muxed = plan.rtcpMux === true
  return {
    kind: plan.kind,
    port: stream.port,
    protocol: plan.protocol,
    formats: formatsOf(plan.codecs),
    codecs: plan.codecs.map(withoutFeedback),
    direction: plan.direction,
    address: stream.address,
    // An odd peer that ignores a=rtcp sends to port + 1, which is where ours is.
    ...(muxed || stream.rtcpPort === stream.port + 1 ? {} : { rtcp: { port: stream.rtcpPort } }),
    rtcpMux: muxed,
    ...(plan.mid === undefined ? {} : { mid: plan.mid }),
    candidates: [],
    fingerprints: [],
    crypto: plan.crypto ?? [],
    extensions: [],
    ssrcs: [],
    ...(plan.ptimeMs === undefined ? {} : { ptimeMs: plan.ptimeMs }),
  }
}

/** The section of a medium we do not take: same place, same kind, port 0 (RFC 3264 §6). */
export function refusedSection(section: MediaSection): MediaSection {
  return {
    kind: section.kind,
    port: 0,
    protocol: section.protocol,
    formats: [section.formats[0] ?? '0'],
    codecs: [],
    direction: 'inactive',
    address: '0.0.0.0',
    rtcpMux: false,
    ...(section.mid === undefined ? {} : { mid: section.mid }),
    candidates: [],
    fingerprints: [],
    crypto: [],
    extensions: [],
    ssrcs: [],
  }
}

function formatsOf(codecs: readonly SdpCodec[]): readonly string[] {
  return codecs.map((codec) => String(codec.payloadType))
}
