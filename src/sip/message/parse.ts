import { type ByteString, GatewayError } from '../../base/index.ts'
import type { SipMessage } from './model.ts'

/**
 * One whole message. Only the start line, the header names and the fields every message needs are looked at.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`, `SIP_MESSAGE_TOO_LARGE`
 */
export function parseMessage(_data: ByteString): SipMessage {
  throw new GatewayError('INTERNAL', 'not there yet')
}
