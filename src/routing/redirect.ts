import { asGatewayError, type ByteString } from '../base/index.ts'
import { parseUri, type SipUri, targetOf, withTlsProfile, writeUri } from '../sip/index.ts'
import type { Trunk } from '../tenancy/index.ts'
import type { Destination, Party } from './model.ts'
import { type RouteInput, route } from './route.ts'

export interface RedirectInput extends Omit<RouteInput, 'caller' | 'user'> {
  /** Who answered 3xx. */
  readonly party: Party
  /** URIs of its contacts. */
  readonly contacts: readonly ByteString[]
}

/**
 * Where a 3xx leads (RFC 3261 §8.1.3.4), by whose it is. The phone of a user forwards its calls to where that user may
 * call: addresses of the own domain, by the tenant's routes. A trunk leads to the hosts of its own targets. Nobody leads
 * us to any other host, so that no 3xx makes a relay of us.
 */
export function redirected(input: RedirectInput): readonly Destination[] {
  return input.contacts.flatMap((contact) => {
    try {
      return follow(input, parseUri(contact))
    } catch (thrown) {
      if (asGatewayError(thrown).code === 'INTERNAL') throw thrown
      return [] // A contact that cannot be read leads nowhere.
    }
  })
}

function follow(input: RedirectInput, uri: SipUri): readonly Destination[] {
  const { party, tenant, directory } = input
  if (uri.scheme !== 'sip' || uri.user === undefined) return []
  if (party.kind === 'trunk') {
    const trunk = directory.trunk(tenant.domain, party.trunk)
    return trunk === undefined || trunk.followRedirects === false ? [] : alongTrunk(party, trunk, uri)
  }
  if (party.kind !== 'user' || tenant.followRedirects === false) return []
  const named = directory.tenantOf(uri.host)
  if (named === undefined ? !directory.isOurs(uri.host) : named !== tenant) return []
  const decision = route({ ...input, caller: party, user: uri.user })
  return decision.kind === 'ring' ? (decision.groups[0] ?? []) : []
}

function alongTrunk(party: Party, { name, targets, srtp, lateOffer }: Trunk, uri: SipUri): readonly Destination[] {
  const plain = { ...uri, headers: '' }
  const target = withTlsProfile(targetOf(plain), `${party.tenant}/${name}`)
  // A 3xx does not take a call out of TLS.
  const isOwn = targets.map(parseUri).some((own) => {
    return own.host === uri.host && (targetOf(own).transport !== 'tls' || target.transport === 'tls')
  })
  if (!isOwn) return []
  const late = lateOffer === true ? { lateOffer } : {}
  return [{ party, uri: writeUri(plain), target, profile: 'rtp', route: [], srtp, ...late }]
}
