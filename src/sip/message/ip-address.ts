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

function ipv4Bytes(text: string): readonly number[] | undefined {
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
