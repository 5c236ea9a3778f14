import { type ByteString, GatewayError, LIMITS } from '../base/index.ts'
import { isMediaPort } from './numbers.ts'

/** The lines of an SDP that we read, checked for size and put in order; values are not looked at yet. */
export interface SdpLines {
  readonly origin: string
  readonly session: readonly string[]
  readonly media: readonly MediaLines[]
}

/** One `m=` line taken apart, and the lines below it. */
export interface MediaLines {
  readonly kind: string
  readonly port: number
  readonly protocol: string
  readonly formats: readonly string[]
  readonly lines: readonly string[]
}

/**
 * Splits an SDP. Line ends may be CRLF, LF or CR, empty lines are passed over.
 *
 * @throws GatewayError `SDP_TOO_LARGE`, `SDP_MALFORMED`
 */
export function splitSdp(text: ByteString): SdpLines {
  if (text.length > LIMITS.sdpBytes) throw new GatewayError('SDP_TOO_LARGE', `SDP of ${text.length} bytes`)
  const lines = text.split(/\r\n|\r|\n/)
  if (lines.length > LIMITS.sdpLines) throw new GatewayError('SDP_TOO_LARGE', `SDP of ${lines.length} lines`)
  const [version, ...rest] = lines.filter((line) => line !== '')
  if (version?.trim() !== 'v=0') throw malformed('it does not begin with v=0')
  const origin = rest.find((line) => line.startsWith('o='))
  if (origin === undefined) throw malformed('the o= line is missing')
  const blocks = mediaBlocks(rest)
  if (blocks.length - 1 > LIMITS.sdpMediaSections) {
    throw new GatewayError('SDP_TOO_LARGE', `SDP with ${blocks.length - 1} media sections`)
  }
  const [session = [], ...media] = blocks
  return { origin, session: session.filter(isRead), media: media.map(mediaLines) }
}

export function malformed(why: string): GatewayError {
  return new GatewayError('SDP_MALFORMED', `SDP: ${why}`)
}

/** Words of a line; several blanks or tabs are as good as one. */
export function words(text: string | number): readonly string[] {
  return String(text)
    .split(/\s+/)
    .filter((word) => word !== '')
}

/** The lines before the first `m=`, then those of each `m=` with it in front. */
function mediaBlocks(lines: readonly string[]): readonly (readonly string[])[] {
  const blocks: string[][] = [[]]
  for (const line of lines) {
    if (line.startsWith('m=')) blocks.push([])
    blocks.at(-1)?.push(line)
  }
  return blocks
}

function mediaLines([line = '', ...lines]: readonly string[]): MediaLines {
  // m=audio 49170/2 RTP/AVP 0 96: the number of ports has no use with RTP (RFC 8866 §5.14).
  const match = /^m=(\S{1,32}) +(\d{1,9})(?:\/\d+)? +(\S{1,64})(?: (.*))?$/.exec(line)
  if (!match) throw malformed(`"${line.slice(0, 60)}" is no media description`)
  const [, kind = '', digits, protocol = '', formats = ''] = match
  const port = Number(digits)
  if (!isMediaPort(port)) throw malformed(`there is no port ${digits}`)
  if (words(formats).length > LIMITS.sdpCodecsPerSection) {
    throw new GatewayError('SDP_TOO_LARGE', `SDP section with ${words(formats).length} formats`)
  }
  return { kind: kind.toLowerCase(), port, protocol, formats: words(formats), lines: lines.filter(isRead) }
}

/** What nobody reads is not even parsed: less work, and less for a hostile peer to work with. */
function isRead(line: string): boolean {
  if (line.startsWith('c=') || line.startsWith('s=')) return true
  const name = /^a=([a-z-]+)/.exec(line)?.[1]
  return name !== undefined && READ.has(name)
}

const READ: ReadonlySet<string> = new Set([
  ...['sendrecv', 'sendonly', 'recvonly', 'inactive'],
  ...['rtpmap', 'fmtp', 'ptime', 'maxptime', 'rtcp', 'rtcp-mux', 'rtcp-fb', 'extmap'],
  ...['group', 'mid', 'bundle-only', 'msid', 'ssrc'],
  ...['ice-lite', 'ice-ufrag', 'ice-pwd', 'candidate', 'setup', 'fingerprint', 'crypto'],
])
