import { type ByteString, GatewayError } from '../../base/index.ts'
import type { SipUri } from './model.ts'

/** @throws GatewayError `SIP_MALFORMED_MESSAGE` */
export function parseUri(_text: ByteString): SipUri {
  throw new GatewayError('INTERNAL', 'not there yet')
}

export function writeUri(_uri: SipUri): ByteString {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** Equality of RFC 3261 §19.1.4 and RFC 5954 §4.2. Not transitive. */
export function uriEquals(_a: SipUri | ByteString, _b: SipUri | ByteString): boolean {
  throw new GatewayError('INTERNAL', 'not there yet')
}
