import type { ByteString } from '../../base/index.ts'
import type { AddressTarget, TransportName } from '../flow.ts'
import { isIpAddress } from '../message/ip-address.ts'
import type { SipUri } from '../message/model.ts'
import { malformed, shown } from '../message/syntax.ts'
import { parseUri } from '../message/uri.ts'

const DEFAULT_PORTS: Readonly<Record<TransportName, number>> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 }

/**
 * The address in a SIP URI: `transport`, `maddr`, default port; UDP (TLS for sips) if it names no transport
 * (RFC 3263 §4.1 without DNS). What it leaves open, `locate` may find.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`: no SIP URI, or a transport that we have not.
 */
export function targetOf(uri: SipUri | ByteString): AddressTarget {
  const parsed = typeof uri === 'string' ? parseUri(uri) : uri
  if (parsed.scheme !== 'sip' && parsed.scheme !== 'sips') throw malformed(`${parsed.scheme}: is not reached over SIP`)
  const transport = transportOf(parsed)
  const host = parsed.params.get('maddr') || parsed.host
  const to = { host, port: parsed.port ?? DEFAULT_PORTS[transport] }
  const leftOpen = leftOpenBy(parsed, host)
  return {
    kind: 'address',
    transport,
    to,
    ...(leftOpen === undefined ? {} : { leftOpen }),
    ...(transport === 'tls' ? { secure: { domain: parsed.host } } : {}),
  }
}

/** The same target with the trust and the certificate that `profile` names, if it may be reached over TLS. */
export function withTlsProfile(target: AddressTarget, profile: string): AddressTarget {
  if (target.transport !== 'tls' && target.leftOpen !== 'both') return target // A NAPTR record may lead to TLS.
  return { ...target, secure: { domain: target.secure?.domain ?? target.to.host, profile } }
}

/** What the DNS may tell of a name; of an address only the transport is open (RFC 3263 §4.1, §4.2). */
function leftOpenBy({ port, params }: SipUri, host: string): AddressTarget['leftOpen'] {
  const opensPort = port === undefined && !isIpAddress(host)
  if (params.has('transport')) return opensPort ? 'port' : undefined
  return opensPort ? 'both' : 'transport'
}

function transportOf(uri: SipUri): TransportName {
  const isSecure = uri.scheme === 'sips'
  const named = uri.params.get('transport')?.toLowerCase()
  switch (named) {
    case undefined:
      return isSecure ? 'tls' : 'udp'
    case 'tcp':
      return isSecure ? 'tls' : 'tcp' // RFC 3261 §26.2.2: sips over TCP is TLS.
    case 'ws':
      return isSecure ? 'wss' : 'ws' // RFC 7118 §5.5 knows no "wss".
    case 'udp':
    case 'tls':
    case 'wss':
      return named
    default:
      throw malformed(`Transport ${shown(named)} is not known here`)
  }
}
