/** The `c=`, `s=` and `a=` lines of one section, or of the session, taken apart; what they mean is not judged yet. */
export interface Attributes {
  name: string | undefined
  /** Address of `c=`. */
  address: string | undefined
  direction: string | undefined
  rtpmaps: RtpMap[]
  fmtps: { readonly payloadType: string; readonly text: string }[]
  feedback: { readonly payloadType: string; readonly text: string }[]
  ptime: string | undefined
  maxptime: string | undefined
  rtcp: { readonly port: string; readonly address: string | undefined } | undefined
  rtcpMux: boolean
  bundleOnly: boolean
  iceLite: boolean
  iceUfrag: string | undefined
  icePwd: string | undefined
  setup: string | undefined
  mid: string | undefined
  msid: string | undefined
  /** Mids of each `a=group:BUNDLE`. */
  bundles: string[]
  extensions: { readonly id: string; readonly direction: string | undefined; readonly uri: string }[]
  candidates: CandidateLine[]
  ssrcs: { readonly id: string; readonly attribute: string; readonly value: string | undefined }[]
  /** Whole lines: `keys.ts` reads them. */
  fingerprints: string[]
  cryptos: string[]
}

export interface RtpMap {
  readonly payloadType: string
  readonly name: string
  readonly clockRate: string | undefined
  readonly encoding: string | undefined
}

export interface CandidateLine {
  readonly foundation: string
  readonly component: string
  readonly protocol: string
  readonly priority: string
  readonly address: string
  readonly port: string
  readonly type: string
  readonly tcpType: string | undefined
}

/**
 * Reads lines of one section. Of what can be said once the last counts. A line that is not of its attribute's grammar
 * (RFC 8866 §9 and the attribute's own RFC) is passed over, and so is what nobody here reads.
 */
export function readAttributes(lines: readonly string[], start: number, end: number): Attributes {
  const found = nothing()
  for (let i = start; i < end; i++) {
    const line = lines[i] ?? ''
    if (line.charCodeAt(1) !== EQUALS) continue
    const type = line.charCodeAt(0)
    if (type === LETTER_A) readAttribute(found, line)
    else if (type === LETTER_C) found.address = /^c=IN IP\d (\S*)/.exec(line)?.[1] ?? found.address
    else if (type === LETTER_S) found.name = line.slice(2)
  }
  return found
}

/** Every field is there from the start: objects of one shape are cheap. */
function nothing(): Attributes {
  return {
    name: undefined,
    address: undefined,
    direction: undefined,
    rtpmaps: [],
    fmtps: [],
    feedback: [],
    ptime: undefined,
    maxptime: undefined,
    rtcp: undefined,
    rtcpMux: false,
    bundleOnly: false,
    iceLite: false,
    iceUfrag: undefined,
    icePwd: undefined,
    setup: undefined,
    mid: undefined,
    msid: undefined,
    bundles: [],
    extensions: [],
    candidates: [],
    ssrcs: [],
    fingerprints: [],
    cryptos: [],
  }
}

const EQUALS = 0x3d
const LETTER_A = 0x61
const LETTER_C = 0x63
const LETTER_S = 0x73

/** `a=name` or `a=name:value`. */
function readAttribute(found: Attributes, line: string): void {
  const colon = line.indexOf(':', 2)
  const name = colon < 0 ? firstWord(line.slice(2)) : line.slice(2, colon)
  switch (name) {
    case 'sendrecv':
    case 'sendonly':
    case 'recvonly':
    case 'inactive':
      found.direction = name
      return
    case 'rtcp-mux':
      found.rtcpMux = true
      return
    case 'bundle-only':
      found.bundleOnly = true
      return
    case 'ice-lite':
      found.iceLite = true
      return
    default:
      if (colon > 0) VALUES[name]?.(found, line.slice(colon + 1), line)
  }
}

type Reader = (found: Attributes, value: string, line: string) => void

/** What is read of each attribute with a value. */
const VALUES: Readonly<Record<string, Reader | undefined>> = Object.assign(Object.create(null), {
  rtpmap(found, value) {
    const match = /^(\d*) ([\w\-.]*)(?:\s*\/(\d*)(?:\s*\/(\S*))?)?/.exec(value)
    if (!match) return
    const [, payloadType = '', name = '', clockRate, encoding] = match
    found.rtpmaps.push({ payloadType, name, clockRate, encoding })
  },
  fmtp(found, value) {
    const match = /^(\d*) ([\S| ]*)/.exec(value)
    if (match) found.fmtps.push({ payloadType: match[1] ?? '', text: match[2] ?? '' })
  },
  'rtcp-fb'(found, value) {
    const match = /^(\*|\d*) ([\w-]*)(?: ([\w-]*))?/.exec(value)
    if (!match) return
    const [, payloadType = '', type = '', subtype] = match
    if (type === 'trr-int') return // A number, no kind of feedback.
    found.feedback.push({ payloadType, text: subtype === undefined ? type : `${type} ${subtype}` })
  },
  ptime(found, value) {
    found.ptime = /^[\d.]*/.exec(value)?.[0]
  },
  maxptime(found, value) {
    found.maxptime = /^[\d.]*/.exec(value)?.[0]
  },
  rtcp(found, value) {
    const match = /^(\d*)(?: \S* IP\d (\S*))?/.exec(value)
    if (match) found.rtcp = { port: match[1] ?? '', address: match[2] }
  },
  extmap(found, value) {
    const match = /^(\d+)(?:\/(\w+))?(?: urn:ietf:params:rtp-hdrext:encrypt)? (\S*)/.exec(value)
    if (match) found.extensions.push({ id: match[1] ?? '', direction: match[2], uri: match[3] ?? '' })
  },
  group(found, value) {
    if (value.startsWith('BUNDLE ')) found.bundles.push(value.slice(7))
  },
  mid(found, value) {
    found.mid = firstWord(value)
  },
  msid(found, value) {
    found.msid ??= /^[\w-]+(?: [\w-]+)?/.exec(value)?.[0]
  },
  ssrc(found, value) {
    const match = /^(\d*) ([\w-]*)(?::(.*))?/.exec(value)
    if (match) found.ssrcs.push({ id: match[1] ?? '', attribute: match[2] ?? '', value: match[3] })
  },
  'ice-ufrag'(found, value) {
    found.iceUfrag = firstWord(value)
  },
  'ice-pwd'(found, value) {
    found.icePwd = firstWord(value)
  },
  setup(found, value) {
    found.setup = firstWord(value)
  },
  candidate(found, value) {
    const match = /^(\S*) (\d*) (\S*) (\d*) (\S*) (\d*) typ (\S*)(?: raddr \S* rport \d*)?(?: tcptype (\S*))?/.exec(
      value,
    )
    if (!match) return
    const [, foundation = '', component = '', protocol = '', priority = '', address = '', port = '', type = ''] = match
    found.candidates.push({ foundation, component, protocol, priority, address, port, type, tcpType: match[8] })
  },
  fingerprint(found, _value, line) {
    found.fingerprints.push(line)
  },
  crypto(found, _value, line) {
    found.cryptos.push(line)
  },
} satisfies Readonly<Record<string, Reader>>)

function firstWord(value: string): string {
  return /^\S*/.exec(value)?.[0] ?? ''
}
