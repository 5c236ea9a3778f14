import type { HostPort, SendTarget, TransportName } from './flow.ts'
import { type AddressScope, isIpv6, scopeOf } from './message/ip-address.ts'

/** One address SIP is taken on, and how peers are told of it. One that takes both IPv4 and IPv6 is listed twice. */
export interface OwnAddress {
  readonly transport: TransportName
  /** As it is bound; `local` of the UDP flows that come over it. */
  readonly local: HostPort
  /** What Via and Contact say: behind a NAT not what is bound. */
  readonly advertised: HostPort
}

/**
 * The address of ours that fits a peer: for UDP the socket its message leaves from, else the listener it can call back.
 *
 * A flow that came over a listener keeps to it. Else the one of the peer's address family whose advertised address is
 * of the peer's kind (loopback, private, public): a gateway with a leg in a private and one in a public network then
 * tells each side the address that this side can reach. Among equals the first. `undefined`: none of this transport.
 */
export function ownAddressFor(target: SendTarget, own: readonly OwnAddress[]): OwnAddress | undefined {
  const transport = target.kind === 'flow' ? target.flow.transport : target.transport
  const candidates = own.filter((each) => each.transport === transport)
  if (candidates.length <= 1) return candidates[0]
  const peer = target.kind === 'flow' ? target.flow.remote.host : target.to.host
  const came = target.kind === 'flow' ? candidates.filter(({ local }) => isSame(local, target.flow.local)) : []
  const fitting = came.length > 0 ? came : candidates
  return bestFor(peer, fitting)
}

function isSame(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && (a.host === b.host || isWildcard(a.host))
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function bestFor(peer: string, own: readonly OwnAddress[]): OwnAddress | undefined {
  const scope = scopeOf(peer)
  if (scope === undefined) return own[0] // A name: nobody knows yet where it leads.
  let best: OwnAddress | undefined
  let bestRank = -1
  for (const each of own) {
    const rank = rankOf(each, peer, scope)
    if (rank <= bestRank) continue
    best = each
    bestRank = rank
  }
  return best
}

function rankOf({ local, advertised }: OwnAddress, peer: string, scope: AddressScope): number {
  const isOfFamily = isIpv6(local.host) === isIpv6(peer) || local.host === '::'
  if (!isOfFamily) return 0
  const told = scopeOf(advertised.host)
  const speaksIt = told === undefined || isIpv6(advertised.host) === isIpv6(peer)
  if (!speaksIt) return 1
  if (told === scope) return 4
  return scopeOf(local.host) === 'loopback' ? 2 : 3 // From there nobody else is reached.
}
