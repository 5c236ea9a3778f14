import { type ByteString, GatewayError } from '../base/index.ts'
import { type NameAddr, parseNameAddr, parseUri, type SipRequest } from '../sip/index.ts'

/** One Contact of a REGISTER with the time it asks for. */
export interface AskedContact {
  readonly uri: ByteString
  /** Seconds; 0 removes the binding. */
  readonly expires: number
  readonly instance?: ByteString
  readonly regId?: ByteString
  readonly q: number
}

/** What a REGISTER wants. */
export type Asked =
  | { readonly kind: 'query' }
  | { readonly kind: 'remove-all' }
  | { readonly kind: 'contacts'; readonly contacts: readonly AskedContact[] }

/**
 * Reads the Contacts of a REGISTER (RFC 3261 §10.3 steps 6 and 7).
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`: `*` beside others or without `Expires: 0`, or a header that is not of
 * the grammar.
 */
export function asked(request: SipRequest, defaultSeconds: number): Asked {
  const { contacts, expires } = request.headers
  if (contacts === '*') {
    if (expires !== 0) throw new GatewayError('SIP_MALFORMED_MESSAGE', 'Contact: * needs Expires: 0')
    return { kind: 'remove-all' }
  }
  if (contacts.length === 0) return { kind: 'query' }
  return { kind: 'contacts', contacts: contacts.map((contact) => askedContact(contact, expires ?? defaultSeconds)) }
}

function askedContact({ uri, params }: NameAddr, defaultSeconds: number): AskedContact {
  requireSip(uri) // It becomes a Request-URI: what cannot be reached is refused here.
  const own = params.get('expires')
  const instance = params.get('+sip.instance')
  const regId = params.get('reg-id')
  return {
    uri,
    // RFC 3261 §10.2.1.1: a value that cannot be read counts as the default.
    expires: own !== undefined && /^\d{1,10}$/.test(own) ? Number(own) : defaultSeconds,
    ...(instance === undefined ? {} : { instance }),
    ...(instance === undefined || regId === undefined ? {} : { regId }),
    q: preference(params.get('q')),
  }
}

/**
 * The proxies between a device and us, nearest first (RFC 3327 §5.3); they become Route headers.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`: one of them is no SIP URI.
 */
export function pathOf(request: SipRequest): readonly ByteString[] {
  const path = request.headers.values('Path')
  for (const value of path) requireSip(parseNameAddr(value).uri)
  return path
}

function requireSip(uri: ByteString): void {
  const { scheme } = parseUri(uri)
  if (scheme !== 'sip' && scheme !== 'sips') {
    throw new GatewayError('SIP_MALFORMED_MESSAGE', `nobody can be called at a ${scheme.slice(0, 20)}: contact`)
  }
}

function preference(q: ByteString | undefined): number {
  return q !== undefined && /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 1
}
