import { isIPv6 } from 'node:net'
import type { LocalCandidate } from '../../../model.ts'

/**
 * Host candidates for the addresses of one socket group (RFC 8445 §5.1.2): earlier addresses are preferred.
 *
 * Component 1 only: RTCP is multiplexed.
 */
export function hostCandidates(addresses: readonly string[], port: number): readonly LocalCandidate[] {
  return addresses.map((address, index) => ({
    foundation: String(index + 1),
    protocol: 'udp' as const,
    priority: HOST_PREFERENCE * 2 ** 24 + localPreference(address, index) * 2 ** 8 + 255,
    address,
    port,
  }))
}

/** IPv4 before IPv6 would need RFC 8421's interleaving; the operator's order says enough. */
function localPreference(address: string, index: number): number {
  return Math.max(0, (isIPv6(address) ? 65_535 : 65_534) - index * 2)
}

const HOST_PREFERENCE = 126
