/**
 * The eight 16-bit groups of an IPv6 address (RFC 4291 §2.2); undefined if it is none.
 *
 * Three colons in a row, which RFC 3261's grammar allowed by mistake, count as two (RFC 5118 §4.10, RFC 5954).
 */
export function ipv6Groups(address: string): readonly number[] | undefined {
  const text = address.includes(':::') ? address.replace(':::', '::') : address
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  if (tail === undefined) return missing === 0 ? before : undefined
  return missing < 1 ? undefined : [...before, ...new Array<number>(missing).fill(0), ...after]
}

function groups(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const out: number[] = []
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) out.push(Number.parseInt(part, 16))
    else {
      const v4 = i === parts.length - 1 ? ipv4Bytes(part) : undefined
      if (v4 === undefined) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = v4
      out.push(a * 256 + b, c * 256 + d)
    }
  }
  return out
}

/** The four bytes of an IPv4 address; undefined if it is none. */
export function ipv4Bytes(text: string): readonly number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** One text for every spelling of the same host: IPv6 by its bits (RFC 5954 §4.2), names in lower case. */
export function canonicalHost(host: string): string {
  if (!host.includes(':')) return host.toLowerCase()
  const groups = ipv6Groups(host)
  return groups === undefined ? host.toLowerCase() : groups.map((group) => group.toString(16)).join(':')
}

/** Whether a host is an address, so that nobody has to be asked for one. */
export function isIpAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}

/** The host as it stands in a URI or a Via: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** Who can reach an address: this machine, its private network, or everybody. */
export type AddressScope = 'loopback' | 'private' | 'public'

/** The scope of an IP address; `undefined` for a name and for the wildcards `0.0.0.0` and `::`. */
export function scopeOf(host: string): AddressScope | undefined {
  if (host === '0.0.0.0' || host === '::') return undefined
  if (isIpv6(host)) return ipv6Scope(host)
  const v4 = ipv4Bytes(host)
  return v4 === undefined ? undefined : ipv4Scope(v4)
}

export function isIpv6(host: string): boolean {
  return host.includes(':')
}

/** RFC 1918, RFC 6598 (carrier-grade NAT), RFC 3927. */
function ipv4Scope([a = 0, b = 0]: readonly number[]): AddressScope {
  if (a === 127) return 'loopback'
  const isPrivate =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  return isPrivate ? 'private' : 'public'
}

/** RFC 4193 and RFC 4291 §2.5.6. */
function ipv6Scope(host: string): AddressScope | undefined {
  const groups = ipv6Groups(host.split('%')[0] ?? '')
  if (groups === undefined) return undefined
  const [first = 0] = groups
  if (groups.every((group, at) => group === (at === 7 ? 1 : 0))) return 'loopback'
  return (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80 ? 'private' : 'public'
}
