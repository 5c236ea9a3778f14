import type { ByteString } from '../base/index.ts'
import type { MediaSection, SdpCodec, SessionDescription } from './model.ts'

/** Writes an SDP (RFC 8866 §5), every line from the model: nothing of another leg can slip through. */
export function writeSdp(description: SessionDescription): ByteString {
  const { origin, name, bundle, media } = description
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.version} IN ${family(origin.address)} ${origin.address}`,
    `s=${name === '' ? '-' : name}`,
    't=0 0',
  ]
  if (media.some((section) => section.port !== 0 && section.ice?.lite === true)) lines.push('a=ice-lite')
  for (const mids of bundle) lines.push(`a=group:BUNDLE ${mids.join(' ')}`)
  for (const section of media) addSection(lines, section)
  let text = ''
  for (const line of lines) text += `${oneLine(line)}\r\n`
  return text
}

/** No value makes a line of its own. */
function oneLine(line: string): string {
  return line.includes('\n') || line.includes('\r') ? line.replace(/[\r\n]/g, ' ') : line
}

function addSection(lines: string[], section: MediaSection): void {
  const { kind, port, protocol, codecs, direction, mid } = section
  const formats = codecs.length > 0 ? codecs.map((codec) => codec.payloadType) : section.formats
  const address = section.address || '0.0.0.0'
  lines.push(`m=${kind} ${port} ${protocol} ${formats.join(' ')}`.trimEnd(), `c=IN ${family(address)} ${address}`)
  if (port !== 0) addRtcp(lines, section)
  for (const codec of codecs) addCodec(lines, codec)
  if (port !== 0) addTransport(lines, section)
  if (mid !== undefined) lines.push(`a=mid:${mid}`)
  for (const { id, uri, direction: way } of port === 0 ? [] : section.extensions) {
    lines.push(`a=extmap:${id}${way === undefined ? '' : `/${way}`} ${uri}`)
  }
  lines.push(`a=${direction}`)
  if (port === 0) return
  addIce(lines, section)
  for (const { algorithm, value } of section.fingerprints) lines.push(`a=fingerprint:${algorithm} ${value}`)
  if (section.setup !== undefined) lines.push(`a=setup:${section.setup}`)
  if (section.msid !== undefined) lines.push(`a=msid:${section.msid}`)
  for (const ssrc of section.ssrcs) lines.push(`a=ssrc:${ssrc} cname:${section.cname ?? '-'}`)
}

function addRtcp(lines: string[], { rtcp, rtcpMux }: MediaSection): void {
  if (rtcp !== undefined) {
    const { port, address } = rtcp
    lines.push(`a=rtcp:${port}${address === undefined ? '' : ` IN ${family(address)} ${address}`}`)
  }
  if (rtcpMux) lines.push('a=rtcp-mux')
}

function addTransport(lines: string[], { ptimeMs, maxptimeMs, crypto }: MediaSection): void {
  if (ptimeMs !== undefined) lines.push(`a=ptime:${ptimeMs}`)
  if (maxptimeMs !== undefined) lines.push(`a=maxptime:${maxptimeMs}`)
  for (const { tag, suite, key } of crypto) lines.push(`a=crypto:${tag} ${suite} inline:${key}`)
}

function addCodec(lines: string[], codec: SdpCodec): void {
  const { payloadType, name, clockRateHz, fmtp } = codec
  const channels = codec.channels === undefined || codec.channels === 1 ? '' : `/${codec.channels}`
  // Peers that know static numbers may leave the map out; written, it is understood by all (RFC 3264 §5.1).
  lines.push(`a=rtpmap:${payloadType} ${name}/${clockRateHz}${channels}`)
  if (fmtp !== undefined) lines.push(`a=fmtp:${payloadType} ${fmtp}`)
  for (const feedback of codec.rtcpFeedback ?? []) lines.push(`a=rtcp-fb:${payloadType} ${feedback}`)
}

function addIce(lines: string[], { ice, candidates }: MediaSection): void {
  if (ice === undefined) return
  lines.push(`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`)
  for (const each of candidates) {
    const tcp = each.tcpType === undefined ? '' : ` tcptype ${each.tcpType}`
    const { foundation, component, protocol, priority, address, port, type } = each
    lines.push(`a=candidate:${foundation} ${component} ${protocol} ${priority} ${address} ${port} typ ${type}${tcp}`)
  }
  if (candidates.length > 0) lines.push('a=end-of-candidates')
}

function family(address: string): 'IP4' | 'IP6' {
  return address.includes(':') ? 'IP6' : 'IP4'
}
