import { type SessionDescription as Loose, parse } from 'sdp-transform'
import type { ByteString } from '../base/index.ts'
import { isIpAddress } from './address.ts'
import { staticCodec } from './codec.ts'
import { cryptoOf, fingerprintsOf } from './keys.ts'
import { type MediaLines, malformed, type SdpLines, splitSdp, words } from './lines.ts'
import type { Direction, MediaSection, SdpCandidate, SdpCodec, SdpExtension, SessionDescription } from './model.ts'
import { isPayloadType, whole } from './numbers.ts'

type LooseMedia = Loose['media'][number]

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
  const lines = splitSdp(text)
  const loose = parse(forTransform(lines))
  const bundle = (loose.groups ?? []).filter(({ type }) => type === 'BUNDLE').flatMap(({ mids }) => groupOf(mids))
  const bundled = new Set(bundle.flat())
  return {
    origin: originOf(lines.origin),
    name: String(loose.name ?? '-'),
    bundle,
    media: lines.media.map((media, at) => {
      return sectionOf(media, loose.media[at] ?? NOTHING, { loose, lines: lines.session, bundled })
    }),
  }
}

function groupOf(mids: unknown): readonly (readonly string[])[] {
  const names = words(text(mids) ?? '')
  return names.length === 0 ? [] : [names]
}

interface Session {
  readonly loose: Loose
  readonly lines: readonly string[]
  readonly bundled: ReadonlySet<string>
}

const NOTHING = { rtp: [], fmtp: [] } as unknown as LooseMedia

/** The `m=` lines are read already; it gets one that its grammar takes, whatever stood there. */
function forTransform({ session, media }: SdpLines): string {
  const lines = [...session, ...media.flatMap((each) => ['m=media 9 RTP 0', ...each.lines])]
  return `${lines.join('\r\n')}\r\n`
}

/** Read by hand: session ids have up to 20 digits, more than a number keeps (RFC 8866 §5.2). */
function originOf(line: string): SessionDescription['origin'] {
  const [username, sessionId, version, , , address] = words(line.slice(2))
  if (!username || !sessionId || !version) throw malformed('the o= line is not whole')
  if (!/^\d{1,20}$/.test(version)) throw malformed(`the version in o= is "${version.slice(0, 40)}"`)
  return { username, sessionId, version, address: address ?? '0.0.0.0' }
}

function sectionOf(media: MediaLines, loose: LooseMedia, session: Session): MediaSection {
  const address = text((loose.connection ?? session.loose.connection)?.ip)?.split('/')[0]
  const mid = token(loose.mid)
  const isBundleOnly = loose.bundleOnly !== undefined && mid !== undefined && session.bundled.has(mid)
  return {
    kind: media.kind,
    port: media.port === 0 && isBundleOnly ? DISCARD_PORT : media.port,
    protocol: media.protocol,
    formats: media.formats,
    codecs: /RTP/i.test(media.protocol) ? codecsOf(media.formats, loose) : [],
    direction: directionOf(loose.direction ?? session.loose.direction),
    address: address ?? '',
    ...rtcpOf(loose),
    rtcpMux: loose.rtcpMux !== undefined,
    ...iceOf(loose, session.loose),
    candidates: candidatesOf(loose),
    fingerprints: fingerprintsOf(media.lines, session.lines),
    crypto: cryptoOf(media.lines),
    extensions: extensionsOf(loose),
    ssrcs: ssrcsOf(loose),
    ...defined({
      mid,
      setup: setupOf(loose.setup ?? session.loose.setup),
      cname: text(loose.ssrcs?.find((each) => each.attribute === 'cname')?.value),
      msid: msidOf(loose),
      ptimeMs: whole(loose.ptime, 1, 1_000),
      maxptimeMs: whole(loose.maxptime, 1, 10_000),
    }),
  }
}

function codecsOf(formats: readonly string[], loose: LooseMedia): readonly SdpCodec[] {
  const seen = new Set<number>()
  const codecs: SdpCodec[] = []
  for (const format of formats) {
    const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : Number.NaN
    if (!isPayloadType(payloadType) || seen.has(payloadType)) continue
    seen.add(payloadType)
    const codec = codecOf(loose, payloadType)
    if (codec) codecs.push(codec)
  }
  return codecs
}

function codecOf(loose: LooseMedia, payloadType: number): SdpCodec | undefined {
  const mapped = loose.rtp.find((each) => each.payload === payloadType)
  const base = (mapped && mappedCodec(mapped, payloadType)) ?? staticCodec(payloadType)
  if (!base) return undefined
  const fmtp = text(loose.fmtp.find((each) => each.payload === payloadType)?.config)
  const feedback = (loose.rtcpFb ?? [])
    .filter((each) => String(each.payload) === '*' || Number(each.payload) === payloadType)
    .map((each) => (each.subtype === undefined ? text(each.type) : `${each.type} ${each.subtype}`) ?? '')
    .slice(0, MAX_FEEDBACK)
  return {
    ...base,
    ...defined({ fmtp: fmtp || undefined, rtcpFeedback: feedback.length === 0 ? undefined : feedback }),
  }
}

function mappedCodec(mapped: LooseMedia['rtp'][number], payloadType: number): SdpCodec | undefined {
  const name = token(mapped.codec)
  const clockRateHz = whole(mapped.rate, 1, 10_000_000)
  const channels = whole(mapped.encoding, 2, 255)
  if (clockRateHz === undefined || name === undefined) return undefined
  return { payloadType, name, clockRateHz, ...defined({ channels }) }
}

function rtcpOf(loose: LooseMedia): Pick<MediaSection, 'rtcp'> {
  const port = whole(loose.rtcp?.port, 1, 65_535)
  if (port === undefined) return {}
  const address = text(loose.rtcp?.address)
  return { rtcp: { port, ...(address !== undefined && isIpAddress(address) ? { address } : {}) } }
}

function iceOf(loose: LooseMedia, session: Loose): Pick<MediaSection, 'ice'> {
  const ufrag = text(loose.iceUfrag ?? session.iceUfrag)
  const pwd = text(loose.icePwd ?? session.icePwd)
  // RFC 8839 §5.4: up to 256 characters each.
  if (!ufrag || !pwd || ufrag.length > 256 || pwd.length > 256) return {}
  return { ice: { ufrag, pwd, lite: session.icelite !== undefined } }
}

function candidatesOf(loose: LooseMedia): readonly SdpCandidate[] {
  return (loose.candidates ?? []).flatMap((each) => {
    const port = whole(each.port, 0, 65_535)
    const component = whole(each.component, 1, 256)
    const priority = whole(each.priority, 0, 2 ** 32 - 1)
    if (port === undefined || component === undefined || priority === undefined) return []
    return {
      foundation: String(each.foundation),
      component,
      protocol: String(each.transport),
      priority,
      address: String(each.ip),
      port,
      type: String(each.type),
      ...defined({ tcpType: text(each.tcptype) }),
    }
  })
}

function extensionsOf(loose: LooseMedia): readonly SdpExtension[] {
  return (loose.ext ?? []).flatMap((each) => {
    const id = whole(each.value, 1, 255)
    return id === undefined ? [] : [{ id, uri: String(each.uri), ...defined({ direction: text(each.direction) }) }]
  })
}

function ssrcsOf(loose: LooseMedia): readonly number[] {
  const ids = (loose.ssrcs ?? []).flatMap((each) => whole(each.id, 0, 2 ** 32 - 1) ?? [])
  return [...new Set(ids)]
}

/** Its type says text; what it gives is a list, whose first entry counts. */
function msidOf(loose: LooseMedia): string | undefined {
  const first: unknown = loose.msid?.[0]
  if (typeof first !== 'object' || first === null) return text(first)
  const { id, appdata } = first as { readonly id?: unknown; readonly appdata?: unknown }
  return words([text(id) ?? '', text(appdata) ?? ''].join(' ')).join(' ') || undefined
}

function setupOf(value: unknown): MediaSection['setup'] {
  const lower = text(value)?.toLowerCase()
  if (lower === 'active' || lower === 'passive' || lower === 'actpass' || lower === 'holdconn') return lower
  return undefined
}

function directionOf(direction: unknown): Direction {
  if (direction === 'sendonly' || direction === 'recvonly' || direction === 'inactive') return direction
  return 'sendrecv'
}

/** `sdp-transform` makes numbers of what looks like one, whatever its types say. */
function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value)
}

/** A name that is short enough to be one. */
function token(value: unknown): string | undefined {
  const name = text(value)
  return name === undefined || name === '' || name.length > 64 ? undefined : name
}

/** The same without the properties that are `undefined`. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
