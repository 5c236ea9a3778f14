import { type SessionDescription as Loose, parse } from 'sdp-transform'
import { type ByteString, GatewayError, LIMITS } from '../base/index.ts'
import { staticCodec } from './codec.ts'
import type {
  Direction,
  MediaSection,
  SdpCandidate,
  SdpCodec,
  SdpCrypto,
  SdpExtension,
  SdpFingerprint,
  SessionDescription,
} from './model.ts'
import { isMediaPort, isPayloadType, whole } from './numbers.ts'

type LooseMedia = Loose['media'][number]

/**
 * Reads an SDP (RFC 8866), tolerant where peers are odd and strict where a wrong guess would cost audio.
 *
 * Session-level address, direction, ICE and DTLS are filled into the sections. What we have no use for is left out.
 *
 * @throws GatewayError `SDP_TOO_LARGE`: over the bounds of `LIMITS`.
 * @throws GatewayError `SDP_MALFORMED`: no session, or numbers that cannot be meant.
 */
export function parseSdp(text: ByteString): SessionDescription {
  checkSize(text)
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '')
  if (lines[0]?.trim() !== 'v=0') throw malformed('it does not begin with v=0')
  const origin = originOf(lines)
  const loose = parse(`${lines.map(mediaLine).join('\r\n')}\r\n`)
  if (loose.media.length > LIMITS.sdpMediaSections) {
    throw new GatewayError('SDP_TOO_LARGE', `SDP with ${loose.media.length} media sections`)
  }
  return {
    origin,
    name: String(loose.name ?? '-'),
    bundle: (loose.groups ?? []).filter((group) => group.type === 'BUNDLE').map((group) => words(group.mids)),
    media: loose.media.map((media) => sectionOf(media, loose)),
  }
}

function checkSize(text: ByteString): void {
  if (text.length > LIMITS.sdpBytes) throw new GatewayError('SDP_TOO_LARGE', `SDP of ${text.length} bytes`)
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (++count > LIMITS.sdpLines) throw new GatewayError('SDP_TOO_LARGE', `SDP with over ${LIMITS.sdpLines} lines`)
  }
}

/** Read by hand: session ids have up to 20 digits, more than a number keeps (RFC 8866 §5.2). */
function originOf(lines: readonly string[]): SessionDescription['origin'] {
  const line = lines.find((each) => each.startsWith('o='))
  const [username, sessionId, version, , , address] = (line ?? '').slice(2).trim().split(/\s+/)
  if (!username || !sessionId || !version) throw malformed('the o= line is missing or not whole')
  if (!/^\d+$/.test(version)) throw malformed(`the version in o= is "${version.slice(0, 40)}"`)
  return { username, sessionId, version, address: address ?? '0.0.0.0' }
}

/** A media line without the number of ports, which RTP has no use for (RFC 8866 §5.14); other lines as they are. */
function mediaLine(line: string): string {
  if (!line.startsWith('m=')) return line
  const match = /^m=(\S+) +(\d+)(?:\/\d+)? +(\S+)( .*)?$/.exec(line)
  if (!match) throw malformed(`"${line.slice(0, 60)}" is no media description`)
  if (!isMediaPort(Number(match[2]))) throw malformed(`there is no port ${match[2]}`)
  return `m=${match[1]} ${match[2]} ${match[3]}${match[4] ?? ''}`
}

function sectionOf(media: LooseMedia, session: Loose): MediaSection {
  const connection = media.connection ?? session.connection
  const port = Number(media.port)
  const ptimeMs = whole(media.ptime, 1, 1_000)
  const maxptimeMs = whole(media.maxptime, 1, 10_000)
  const setup = setupOf(media.setup ?? session.setup)
  const msid = media.msid?.[0]
  const cname = media.ssrcs?.find((each) => each.attribute === 'cname')?.value
  return {
    kind: media.type,
    port,
    protocol: media.protocol,
    formats: words(media.payloads ?? ''),
    codecs: media.protocol.toUpperCase().includes('RTP') ? codecsOf(media) : [],
    direction: directionOf(media.direction ?? session.direction),
    address: connection?.ip === undefined ? '0.0.0.0' : (String(connection.ip).split('/')[0] ?? '0.0.0.0'),
    ...rtcpOf(media),
    rtcpMux: media.rtcpMux !== undefined,
    ...(media.mid === undefined ? {} : { mid: String(media.mid) }),
    ...iceOf(media, session),
    candidates: candidatesOf(media),
    ...(setup === undefined ? {} : { setup }),
    fingerprints: fingerprintsOf(media, session),
    crypto: cryptoOf(media),
    extensions: extensionsOf(media),
    ssrcs: ssrcsOf(media),
    ...(cname === undefined ? {} : { cname: String(cname) }),
    ...(msid === undefined
      ? {}
      : { msid: typeof msid === 'string' ? msid : words(`${msid.id} ${msid.appdata ?? ''}`).join(' ') }),
    ...(ptimeMs === undefined ? {} : { ptimeMs }),
    ...(maxptimeMs === undefined ? {} : { maxptimeMs }),
  }
}

function codecsOf(media: LooseMedia): readonly SdpCodec[] {
  const formats = words(media.payloads ?? '')
  if (formats.length > LIMITS.sdpCodecsPerSection) {
    throw new GatewayError('SDP_TOO_LARGE', `SDP section with ${formats.length} formats`)
  }
  const seen = new Set<number>()
  const codecs: SdpCodec[] = []
  for (const format of formats) {
    const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : Number.NaN
    if (!isPayloadType(payloadType) || seen.has(payloadType)) continue
    seen.add(payloadType)
    const codec = codecOf(media, payloadType)
    if (codec) codecs.push(codec)
  }
  return codecs
}

function codecOf(media: LooseMedia, payloadType: number): SdpCodec | undefined {
  const mapped = media.rtp.find((each) => each.payload === payloadType)
  const base = (mapped && mappedCodec(mapped, payloadType)) ?? staticCodec(payloadType)
  if (!base) return undefined
  const fmtp = media.fmtp.find((each) => each.payload === payloadType)?.config
  const feedback = (media.rtcpFb ?? [])
    .filter((each) => String(each.payload) === '*' || Number(each.payload) === payloadType)
    .map((each) => (each.subtype === undefined ? each.type : `${each.type} ${each.subtype}`))
  return {
    ...base,
    ...(fmtp === undefined ? {} : { fmtp: String(fmtp) }),
    ...(feedback.length === 0 ? {} : { rtcpFeedback: feedback }),
  }
}

function mappedCodec(mapped: LooseMedia['rtp'][number], payloadType: number): SdpCodec | undefined {
  const clockRateHz = whole(mapped.rate, 1, 10_000_000)
  const channels = whole(mapped.encoding, 1, 255)
  if (clockRateHz === undefined || mapped.codec === '') return undefined
  return {
    payloadType,
    name: mapped.codec,
    clockRateHz,
    ...(channels === undefined || channels === 1 ? {} : { channels }),
  }
}

function rtcpOf(media: LooseMedia): Pick<MediaSection, 'rtcp'> {
  const port = whole(media.rtcp?.port, 1, 65_535)
  if (port === undefined) return {}
  const address = media.rtcp?.address
  return { rtcp: { port, ...(address === undefined ? {} : { address: String(address) }) } }
}

function iceOf(media: LooseMedia, session: Loose): Pick<MediaSection, 'ice'> {
  const ufrag = media.iceUfrag ?? session.iceUfrag
  const pwd = media.icePwd ?? session.icePwd
  if (ufrag === undefined || pwd === undefined) return {}
  return { ice: { ufrag: String(ufrag), pwd: String(pwd), lite: session.icelite !== undefined } }
}

function candidatesOf(media: LooseMedia): readonly SdpCandidate[] {
  return (media.candidates ?? []).flatMap((each) => {
    const port = whole(each.port, 0, 65_535)
    const component = whole(each.component, 1, 256)
    const priority = whole(each.priority, 0, 2 ** 32 - 1)
    if (port === undefined || component === undefined || priority === undefined) return []
    return {
      foundation: String(each.foundation),
      component,
      protocol: each.transport,
      priority,
      address: each.ip,
      port,
      type: each.type,
      ...(each.tcptype === undefined ? {} : { tcpType: each.tcptype }),
    }
  })
}

/** `sdp-transform` keeps only the last `a=fingerprint` of a level; that is enough to verify, as all must match one certificate. */
function fingerprintsOf(media: LooseMedia, session: Loose): readonly SdpFingerprint[] {
  const found = media.fingerprint ?? session.fingerprint
  if (found?.type === undefined || found.hash === undefined) return []
  return [{ algorithm: found.type.toLowerCase(), value: found.hash.trim().toUpperCase() }]
}

function cryptoOf(media: LooseMedia): readonly SdpCrypto[] {
  return (media.crypto ?? []).flatMap((each) => {
    const tag = whole(each.id, 0, 999_999_999)
    const key = /^inline:([A-Za-z0-9+/=]+)/.exec(each.config)?.[1]
    return tag === undefined || key === undefined ? [] : { tag, suite: each.suite, key }
  })
}

function extensionsOf(media: LooseMedia): readonly SdpExtension[] {
  return (media.ext ?? []).flatMap((each) => {
    const id = whole(each.value, 1, 255)
    if (id === undefined) return []
    return { id, uri: each.uri, ...(each.direction === undefined ? {} : { direction: each.direction }) }
  })
}

function ssrcsOf(media: LooseMedia): readonly number[] {
  const ids = (media.ssrcs ?? []).flatMap((each) => whole(each.id, 0, 2 ** 32 - 1) ?? [])
  return [...new Set(ids)]
}

function setupOf(setup: string | undefined): MediaSection['setup'] {
  const lower = setup?.toLowerCase()
  if (lower === 'active' || lower === 'passive' || lower === 'actpass' || lower === 'holdconn') return lower
  return undefined
}

function directionOf(direction: string | undefined): Direction {
  if (direction === 'sendonly' || direction === 'recvonly' || direction === 'inactive') return direction
  return 'sendrecv'
}

function words(text: string | number): string[] {
  return String(text)
    .split(/\s+/)
    .filter((word) => word !== '')
}

function malformed(why: string): GatewayError {
  return new GatewayError('SDP_MALFORMED', `SDP: ${why}`)
}
