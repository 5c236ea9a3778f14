import { type ByteString, GatewayError, LIMITS } from '../base/index.ts'
import { isMediaPort } from './numbers.ts'

/** An SDP cut into lines and sections, checked for size; what the lines say is not looked at yet. */
export interface SdpLines {
  readonly origin: string
  readonly lines: readonly string[]
  /** The session's own lines end here. */
  readonly sessionEnd: number
  readonly media: readonly MediaLines[]
}

/** One `m=` line taken apart, and the place of the lines below it. */
export interface MediaLines {
  readonly kind: string
  readonly port: number
  readonly protocol: string
  readonly formats: readonly string[]
  readonly start: number
  readonly end: number
}

/**
 * Splits an SDP. Line ends may be CRLF, LF or CR, empty lines are passed over.
 *
 * @throws GatewayError `SDP_TOO_LARGE`, `SDP_MALFORMED`
 */
export function splitSdp(text: ByteString): SdpLines {
  if (text.length > LIMITS.sdpBytes) throw new GatewayError('SDP_TOO_LARGE', `SDP of ${text.length} bytes`)
  const lines = linesOf(text)
  const first = lines.findIndex((line) => line !== '')
  if (lines[first]?.trim() !== 'v=0') throw malformed('it does not begin with v=0')
  let origin: string | undefined
  const starts: number[] = []
  for (let i = first + 1; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (line.startsWith('m=')) starts.push(i)
    else if (origin === undefined && line.startsWith('o=')) origin = line
  }
  if (origin === undefined) throw malformed('the o= line is missing')
  if (starts.length > LIMITS.sdpMediaSections) {
    throw new GatewayError('SDP_TOO_LARGE', `SDP with ${starts.length} media sections`)
  }
  const media = starts.map((at, index) => mediaLines(lines[at] ?? '', at + 1, starts[index + 1] ?? lines.length))
  return { origin, lines, sessionEnd: starts[0] ?? lines.length, media }
}

/** A text with CRLF alone, as it should be, is split without looking at each character. */
function linesOf(text: ByteString): readonly string[] {
  const lines = /\r(?!\n)|(?<!\r)\n/.test(text) ? text.split(/\r\n|\r|\n/) : text.split('\r\n')
  if (lines.length > LIMITS.sdpLines) throw new GatewayError('SDP_TOO_LARGE', `SDP of ${lines.length} lines`)
  return lines
}

export function malformed(why: string): GatewayError {
  return new GatewayError('SDP_MALFORMED', `SDP: ${why}`)
}

/** Words of a line; several blanks or tabs are as good as one. */
export function words(text: string): readonly string[] {
  const found = text.split(' ')
  return found.includes('') || /[^\S ]/.test(text) ? text.split(/\s+/).filter((word) => word !== '') : found
}

function mediaLines(line: string, start: number, end: number): MediaLines {
  // m=audio 49170/2 RTP/AVP 0 96: the number of ports has no use with RTP (RFC 8866 §5.14).
  const match = /^m=(\S{1,32}) +(\d{1,9})(?:\/\d+)? +(\S{1,64})(?: (.*))?$/.exec(line)
  if (!match) throw malformed(`"${line.slice(0, 60)}" is no media description`)
  const [, kind = '', digits, protocol = '', list = ''] = match
  const port = Number(digits)
  if (!isMediaPort(port)) throw malformed(`there is no port ${digits}`)
  const formats = words(list)
  if (formats.length > LIMITS.sdpCodecsPerSection) {
    throw new GatewayError('SDP_TOO_LARGE', `SDP section with ${formats.length} formats`)
  }
  return { kind: kind.toLowerCase(), port, protocol, formats, start, end }
}
