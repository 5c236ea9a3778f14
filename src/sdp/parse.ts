import type { ByteString } from '../base/index.ts'
import { isIpAddress } from './address.ts'
import { type Attributes, type CandidateLine, readAttributes } from './attributes.ts'
import { staticCodec } from './codec.ts'
import { cryptoOf, fingerprintsOf } from './keys.ts'
import { type MediaLines, malformed, splitSdp, words } from './lines.ts'
import type { Direction, MediaSection, SdpCandidate, SdpCodec, SdpExtension, SessionDescription } from './model.ts'
import { isPayloadType, whole } from './numbers.ts'

/** A port for a section that has one of its own only in the BUNDLE group (RFC 9143 §7.2): any but 0. */
const DISCARD_PORT = 9

/** Kinds of feedback kept of one codec; browsers name six. */
const MAX_FEEDBACK = 16

/**
 * Reads an SDP (RFC 8866), tolerant where peers are odd and strict where a wrong guess would cost audio.
 *
 * Session-level address, direction, ICE and DTLS are filled into the sections; a `bundle-only` section gets a port. What
 * we have no use for is left out.
 *
 * @throws GatewayError `SDP_TOO_LARGE`: over the bounds of `LIMITS`.
 * @throws GatewayError `SDP_MALFORMED`: no session, or numbers that cannot be meant.
 */
export function parseSdp(text: ByteString): SessionDescription {
  const { origin, lines, sessionEnd, media } = splitSdp(text)
  const session = readAttributes(lines, 0, sessionEnd)
  const bundle = session.bundles.map(words).filter((mids) => mids.length > 0)
  return {
    origin: originOf(origin),
    name: session.name ?? '-',
    bundle,
    media: media.map((each) => {
      const own = readAttributes(lines, each.start, each.end)
      return sectionOf(each, own, session, bundle)
    }),
  }
}

/** RFC 8866 §5.2: session ids have up to 20 digits, more than a number keeps. */
function originOf(line: string): SessionDescription['origin'] {
  const [username, sessionId, version, , , address] = words(line.slice(2))
  if (!username || !sessionId || !version) throw malformed('the o= line is not whole')
  if (!/^\d{1,20}$/.test(version)) throw malformed(`the version in o= is "${version.slice(0, 40)}"`)
  return { username, sessionId, version, address: address ?? '0.0.0.0' }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function sectionOf(
  media: MediaLines,
  own: Attributes,
  session: Attributes,
  bundle: SessionDescription['bundle'],
): MediaSection {
  const mid = token(own.mid)
  const isBundleOnly = own.bundleOnly && mid !== undefined && bundle.some((mids) => mids.includes(mid))
  const section: Writable<MediaSection> = {
    kind: media.kind,
    port: media.port === 0 && isBundleOnly ? DISCARD_PORT : media.port,
    protocol: media.protocol,
    formats: media.formats,
    codecs: /RTP/i.test(media.protocol) ? codecsOf(media.formats, own) : NONE,
    direction: directionOf(own.direction ?? session.direction),
    address: (own.address ?? session.address ?? '').split('/', 1)[0] ?? '',
    rtcpMux: own.rtcpMux,
    candidates: own.candidates.length === 0 ? NONE : own.candidates.flatMap(candidateOf),
    fingerprints: fingerprintsOf(own.fingerprints, session.fingerprints),
    crypto: cryptoOf(own.cryptos),
    extensions: own.extensions.length === 0 ? NONE : own.extensions.flatMap(extensionOf),
    ssrcs: ssrcsOf(own),
  }
  addRtcp(section, own)
  addIce(section, own, session)
  const setup = setupOf(own.setup ?? session.setup)
  const cname = own.ssrcs.find((each) => each.attribute === 'cname')?.value
  const ptimeMs = whole(own.ptime, 1, 1_000)
  const maxptimeMs = whole(own.maxptime, 1, 10_000)
  if (mid !== undefined) section.mid = mid
  if (setup !== undefined) section.setup = setup
  if (cname !== undefined) section.cname = cname
  if (own.msid !== undefined) section.msid = own.msid
  if (ptimeMs !== undefined) section.ptimeMs = ptimeMs
  if (maxptimeMs !== undefined) section.maxptimeMs = maxptimeMs
  return section
}

const NONE: readonly never[] = []

function codecsOf(formats: readonly string[], own: Attributes): readonly SdpCodec[] {
  const codecs: SdpCodec[] = []
  for (const [at, format] of formats.entries()) {
    const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : Number.NaN
    if (!isPayloadType(payloadType) || formats.indexOf(format) !== at) continue
    const codec = codecOf(own, payloadType)
    if (codec !== undefined && !codecs.some((each) => each.payloadType === payloadType)) codecs.push(codec)
  }
  return codecs
}

function codecOf(own: Attributes, payloadType: number): SdpCodec | undefined {
  const number = String(payloadType)
  const base = mappedCodec(own, number, payloadType) ?? staticCodec(payloadType)
  if (base === undefined) return undefined
  const codec: Writable<SdpCodec> = base
  const fmtp = own.fmtps.find((each) => each.payloadType === number)?.text
  if (fmtp) codec.fmtp = fmtp
  if (own.feedback.length === 0) return codec
  const feedback = own.feedback.filter((each) => each.payloadType === '*' || each.payloadType === number)
  if (feedback.length > 0) codec.rtcpFeedback = feedback.slice(0, MAX_FEEDBACK).map(({ text }) => text)
  return codec
}

function mappedCodec(own: Attributes, number: string, payloadType: number): SdpCodec | undefined {
  const mapped = own.rtpmaps.find((each) => each.payloadType === number)
  if (mapped === undefined) return undefined
  const name = token(mapped.name)
  const clockRateHz = whole(mapped.clockRate, 1, 10_000_000)
  const channels = whole(mapped.encoding, 2, 255)
  if (clockRateHz === undefined || name === undefined) return undefined
  return channels === undefined ? { payloadType, name, clockRateHz } : { payloadType, name, clockRateHz, channels }
}

function addRtcp(section: Writable<MediaSection>, { rtcp }: Attributes): void {
  const port = whole(rtcp?.port, 1, 65_535)
  if (port === undefined) return
  const address = rtcp?.address
  section.rtcp = address !== undefined && isIpAddress(address) ? { port, address } : { port }
}

/** RFC 8839 §5.4: up to 256 characters each. */
function addIce(section: Writable<MediaSection>, own: Attributes, session: Attributes): void {
  const ufrag = own.iceUfrag ?? session.iceUfrag
  const pwd = own.icePwd ?? session.icePwd
  if (!ufrag || !pwd || ufrag.length > 256 || pwd.length > 256) return
  section.ice = { ufrag, pwd, lite: session.iceLite }
}

function candidateOf(each: CandidateLine): readonly SdpCandidate[] {
  const port = whole(each.port, 0, 65_535)
  const component = whole(each.component, 1, 256)
  const priority = whole(each.priority, 0, 2 ** 32 - 1)
  if (port === undefined || component === undefined || priority === undefined) return NONE
  const { foundation, protocol, address, type, tcpType } = each
  const candidate = { foundation, component, protocol, priority, address, port, type }
  return [tcpType === undefined ? candidate : { ...candidate, tcpType }]
}

function extensionOf({ id: number, uri, direction }: Attributes['extensions'][number]): readonly SdpExtension[] {
  const id = whole(number, 1, 255)
  if (id === undefined) return NONE
  return [direction === undefined ? { id, uri } : { id, uri, direction }]
}

function ssrcsOf({ ssrcs }: Attributes): readonly number[] {
  if (ssrcs.length === 0) return NONE
  return [...new Set(ssrcs.flatMap((each) => whole(each.id, 0, 2 ** 32 - 1) ?? []))]
}

function setupOf(value: string | undefined): MediaSection['setup'] {
  const lower = value?.toLowerCase()
  if (lower === 'active' || lower === 'passive' || lower === 'actpass' || lower === 'holdconn') return lower
  return undefined
}

function directionOf(direction: string | undefined): Direction {
  if (direction === 'sendonly' || direction === 'recvonly' || direction === 'inactive') return direction
  return 'sendrecv'
}

/** A name that is short enough to be one. */
function token(name: string | undefined): string | undefined {
  return name === undefined || name === '' || name.length > 64 ? undefined : name
}
