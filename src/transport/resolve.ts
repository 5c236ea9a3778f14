import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** How long a name's address is believed, in ms. */
const KEPT_MS = 30_000
/** Names remembered at once; the oldest is forgotten. */
const NAMES_KEPT = 1_000

interface Known {
  readonly address: string
  readonly until: number
}

const known = new Map<string, Known>()

/**
 * The IP address of a host: an IP literal as it is (without brackets), a name by the system's resolver.
 *
 * Takes IPv4 first where a name has both. @throws Error of the resolver (`ENOTFOUND`, …).
 */
export async function resolve(host: string): Promise<string> {
  const literal = ipLiteral(host)
  if (literal !== undefined) return literal
  const cached = known.get(host)
  if (cached !== undefined && cached.until > performance.now()) return cached.address
  const { address } = await lookup(host, { order: 'ipv4first' })
  remember(host, address)
  return address
}

/** The address if `host` is an IP literal, with or without brackets. */
export function ipLiteral(host: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  return isIP(bare) === 0 ? undefined : bare
}

/** An IPv4 address seen through an IPv6 socket (`::ffff:192.0.2.1`) as the IPv4 address it is. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

function remember(host: string, address: string): void {
  known.delete(host)
  if (known.size >= NAMES_KEPT) for (const oldest of known.keys()) if (known.delete(oldest)) break
  known.set(host, { address, until: performance.now() + KEPT_MS })
}
