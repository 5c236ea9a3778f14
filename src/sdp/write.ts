import type { ByteString } from '../base/index.ts'
import type { MediaSection, SdpCodec, SessionDescription } from './model.ts'

/** Writes an SDP (RFC 8866 §5), every line from the model: nothing of another leg can slip through. */
export function writeSdp(description: SessionDescription): ByteString {
  const { origin } = description
  const lite = description.media.some((section) => section.port !== 0 && section.ice?.lite === true)
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.version} IN ${family(origin.address)} ${origin.address}`,
    `s=${description.name === '' ? '-' : description.name}`,
    't=0 0',
    ...(lite ? ['a=ice-lite'] : []),
    ...description.bundle.map((mids) => `a=group:BUNDLE${mids.map((mid) => ` ${mid}`).join('')}`),
    ...description.media.flatMap(sectionLines),
  ]
  return lines.map((line) => `${line.replace(/[\r\n]/g, ' ')}\r\n`).join('')
}

function sectionLines(section: MediaSection): string[] {
  const formats = section.codecs.length > 0 ? section.codecs.map((codec) => codec.payloadType) : section.formats
  const media = `m=${section.kind} ${section.port} ${section.protocol} ${formats.join(' ')}`.trimEnd()
  const address = section.address || '0.0.0.0'
  const connection = `c=IN ${family(address)} ${address}`
  const mid = section.mid === undefined ? [] : [`a=mid:${section.mid}`]
  if (section.port === 0)
    return [media, connection, ...section.codecs.flatMap(codecLines), ...mid, `a=${section.direction}`]
  return [
    media,
    connection,
    ...rtcpLines(section),
    ...section.codecs.flatMap(codecLines),
    ...(section.ptimeMs === undefined ? [] : [`a=ptime:${section.ptimeMs}`]),
    ...(section.maxptimeMs === undefined ? [] : [`a=maxptime:${section.maxptimeMs}`]),
    ...section.crypto.map(({ tag, suite, key }) => `a=crypto:${tag} ${suite} inline:${key}`),
    ...mid,
    ...section.extensions.map(
      ({ id, uri, direction }) => `a=extmap:${id}${direction === undefined ? '' : `/${direction}`} ${uri}`,
    ),
    `a=${section.direction}`,
    ...iceLines(section),
    ...section.fingerprints.map(({ algorithm, value }) => `a=fingerprint:${algorithm} ${value}`),
    ...(section.setup === undefined ? [] : [`a=setup:${section.setup}`]),
    ...(section.msid === undefined ? [] : [`a=msid:${section.msid}`]),
    ...section.ssrcs.map((ssrc) => `a=ssrc:${ssrc} cname:${section.cname ?? '-'}`),
  ]
}

function rtcpLines(section: MediaSection): string[] {
  const mux = section.rtcpMux ? ['a=rtcp-mux'] : []
  if (section.rtcp === undefined) return mux
  const { port, address } = section.rtcp
  return [`a=rtcp:${port}${address === undefined ? '' : ` IN ${family(address)} ${address}`}`, ...mux]
}

function codecLines(codec: SdpCodec): string[] {
  const channels = codec.channels === undefined || codec.channels === 1 ? '' : `/${codec.channels}`
  // Peers that know static numbers may leave the map out; written, it is understood by all (RFC 3264 §5.1).
  const map = `a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRateHz}${channels}`
  return [
    map,
    ...(codec.fmtp === undefined ? [] : [`a=fmtp:${codec.payloadType} ${codec.fmtp}`]),
    ...(codec.rtcpFeedback ?? []).map((feedback) => `a=rtcp-fb:${codec.payloadType} ${feedback}`),
  ]
}

function iceLines(section: MediaSection): string[] {
  if (section.ice === undefined) return []
  return [
    `a=ice-ufrag:${section.ice.ufrag}`,
    `a=ice-pwd:${section.ice.pwd}`,
    ...section.candidates.map((each) => {
      const tcp = each.tcpType === undefined ? '' : ` tcptype ${each.tcpType}`
      return `a=candidate:${each.foundation} ${each.component} ${each.protocol} ${each.priority} ${each.address} ${each.port} typ ${each.type}${tcp}`
    }),
    ...(section.candidates.length > 0 ? ['a=end-of-candidates'] : []),
  ]
}

function family(address: string): 'IP4' | 'IP6' {
  return address.includes(':') ? 'IP6' : 'IP4'
}
