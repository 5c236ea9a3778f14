import { type ByteString, GatewayError } from '../../base/index.ts'
import type { NameAddr } from './model.ts'

/** @throws GatewayError `SIP_MALFORMED_MESSAGE` */
export function parseNameAddr(_value: ByteString): NameAddr {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** Always with angle brackets; the display name quoted where it must be. */
export function writeNameAddr(_address: NameAddr): ByteString {
  throw new GatewayError('INTERNAL', 'not there yet')
}
