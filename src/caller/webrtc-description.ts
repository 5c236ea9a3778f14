import type { ByteString } from '../base/index.ts'
import { CODEC, PCMU } from './peer.ts'
import { isIpv6 } from './resolve.ts'

export interface WebRtcFacts {
  readonly setup: 'actpass' | 'active' | 'passive'
  readonly host: string
  readonly port: number
  readonly mid: string
  readonly ssrc: number
  readonly ice: { readonly ufrag: string; readonly pwd: string }
  readonly fingerprint: { readonly algorithm: string; readonly value: string }
}

/** Our side of a WebRTC session as SDP: one bundled audio section with PCMU, all candidates gathered (RFC 8829). */
export function webRtcDescription(facts: WebRtcFacts): ByteString {
  const { setup, host, port, mid, ssrc, ice, fingerprint } = facts
  return [
    'v=0',
    `o=- ${ssrc} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mid}`,
    `m=audio ${port} UDP/TLS/RTP/SAVPF ${PCMU} 101`,
    `c=IN ${isIpv6(host) ? 'IP6' : 'IP4'} ${host}`,
    `a=mid:${mid}`,
    'a=sendrecv',
    'a=rtcp-mux',
    `a=rtpmap:${PCMU} ${CODEC}`,
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${setup}`,
    `a=candidate:1 1 udp 2130706431 ${host} ${port} typ host`,
    'a=end-of-candidates',
    'a=msid:caller audio',
    `a=ssrc:${ssrc} cname:caller`,
    '',
  ].join('\r\n')
}
