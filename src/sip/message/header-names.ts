/** A header the stack knows; `id` is its place in the table, 0 stands for every unknown one. */
interface KnownHeader {
  readonly name: string
  /** RFC 3261 §7.3.3 and the RFC that defines the header. */
  readonly compact?: string
  /** Values may be joined with commas on one line (RFC 3261 §7.3.1). */
  readonly list?: true
}

const KNOWN: readonly KnownHeader[] = [
  { name: '' },
  { name: 'Via', compact: 'v', list: true },
  { name: 'From', compact: 'f' },
  { name: 'To', compact: 't' },
  { name: 'Call-ID', compact: 'i' },
  { name: 'CSeq' },
  { name: 'Max-Forwards' },
  { name: 'Content-Length', compact: 'l' },
  { name: 'Content-Type', compact: 'c' },
  { name: 'Contact', compact: 'm', list: true },
  { name: 'Route', list: true },
  { name: 'Record-Route', list: true },
  { name: 'Expires' },
  { name: 'Accept', list: true },
  { name: 'Accept-Contact', compact: 'a', list: true },
  { name: 'Accept-Encoding', list: true },
  { name: 'Accept-Language', list: true },
  { name: 'Alert-Info', list: true },
  { name: 'Allow', list: true },
  { name: 'Allow-Events', compact: 'u', list: true },
  { name: 'Authentication-Info' },
  { name: 'Authorization' },
  { name: 'Call-Info', list: true },
  { name: 'Content-Disposition' },
  { name: 'Content-Encoding', compact: 'e', list: true },
  { name: 'Content-Language', list: true },
  { name: 'Date' },
  { name: 'Diversion', list: true },
  { name: 'Error-Info', list: true },
  { name: 'Event', compact: 'o' },
  { name: 'Flow-Timer' },
  { name: 'History-Info', list: true },
  { name: 'Identity', compact: 'y' },
  { name: 'Identity-Info', compact: 'n' },
  { name: 'In-Reply-To', list: true },
  { name: 'Info-Package' },
  { name: 'Join' },
  { name: 'MIME-Version' },
  { name: 'Min-Expires' },
  { name: 'Min-SE' },
  { name: 'Organization' },
  { name: 'P-Asserted-Identity', list: true },
  { name: 'P-Preferred-Identity', list: true },
  { name: 'Path', list: true },
  { name: 'Priority' },
  { name: 'Privacy' },
  { name: 'Proxy-Authenticate' },
  { name: 'Proxy-Authorization' },
  { name: 'Proxy-Require', list: true },
  { name: 'RAck' },
  { name: 'RSeq' },
  { name: 'Reason', list: true },
  { name: 'Recv-Info', list: true },
  { name: 'Refer-Sub' },
  { name: 'Refer-To', compact: 'r' },
  { name: 'Referred-By', compact: 'b' },
  { name: 'Reject-Contact', compact: 'j', list: true },
  { name: 'Replaces' },
  { name: 'Reply-To' },
  { name: 'Request-Disposition', compact: 'd', list: true },
  { name: 'Require', list: true },
  { name: 'Retry-After' },
  { name: 'SIP-ETag' },
  { name: 'SIP-If-Match' },
  { name: 'Server' },
  { name: 'Service-Route', list: true },
  { name: 'Session-Expires', compact: 'x' },
  { name: 'Session-ID' },
  { name: 'Subject', compact: 's' },
  { name: 'Subscription-State' },
  { name: 'Supported', compact: 'k', list: true },
  { name: 'Target-Dialog' },
  { name: 'Timestamp' },
  { name: 'Unsupported', list: true },
  { name: 'User-Agent' },
  { name: 'User-to-User' },
  { name: 'WWW-Authenticate' },
  { name: 'Warning', list: true },
]

/** Ids of the headers the stack itself reads. They are the places in the table above; a test compares the two. */
export const ID = {
  unknown: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  maxForwards: 6,
  contentLength: 7,
  contentType: 8,
  contact: 9,
  route: 10,
  recordRoute: 11,
  expires: 12,
} as const

/** The name as its RFC spells it. */
export function nameOf(id: number): string {
  return KNOWN[id]?.name ?? ''
}

export function isList(id: number): boolean {
  return KNOWN[id]?.list === true
}

const ids = new Map<string, number>()
for (const [id, header] of KNOWN.entries()) {
  if (id === ID.unknown) continue
  ids.set(header.name, id)
  ids.set(header.name.toLowerCase(), id)
  if (header.compact !== undefined) ids.set(header.compact, id)
}

/** The id of a header named by our own code or by a peer, in any case, long or compact. */
export function idOfName(name: string): number {
  return ids.get(name) ?? ids.get(name.toLowerCase()) ?? ID.unknown
}

/** The id of the name at `start`…`end` of a message, without making a string of it. */
export function idAt(data: string, start: number, end: number): number {
  const length = end - start
  const slot = SLOTS[slotOf(length, data.charCodeAt(start), data.charCodeAt(end - 1))]
  if (slot === undefined) return ID.unknown
  for (const candidate of slot) {
    if (candidate.text.length !== length) continue
    if (data.startsWith(candidate.text, start) || sameName(data, start, candidate.text)) return candidate.id
  }
  return ID.unknown
}

function sameName(data: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const a = data.charCodeAt(start + i)
    const b = name.charCodeAt(i)
    if (a !== b && (lower(a) !== lower(b) || !isLetter(a))) return false
  }
  return true
}

interface Spelling {
  readonly text: string
  readonly id: number
}

/** Spellings by length, first and last letter: mostly one each, so a look-up compares once. */
const SLOTS: (Spelling[] | undefined)[] = new Array(256).fill(undefined)
for (const [id, header] of KNOWN.entries()) {
  if (id === ID.unknown) continue
  addSpelling({ text: header.name, id })
  if (header.compact !== undefined) addSpelling({ text: header.compact, id })
}

function addSpelling(spelling: Spelling): void {
  const { text } = spelling
  const slot = slotOf(text.length, text.charCodeAt(0), text.charCodeAt(text.length - 1))
  SLOTS[slot] = [...(SLOTS[slot] ?? []), spelling]
}

function slotOf(length: number, first: number, last: number): number {
  return (length * 7 + lower(first) * 5 + lower(last) * 11) & 0xff
}

function lower(code: number): number {
  return code | 0x20
}

function isLetter(code: number): boolean {
  const c = lower(code)
  return c >= 0x61 && c <= 0x7a
}
