import { type ByteString, GatewayError } from '../../base/index.ts'
import type { SipMessage } from './model.ts'

/** The bytes of a message. Content-Length is always that of the body. */
export function writeMessage(_message: SipMessage): ByteString {
  throw new GatewayError('INTERNAL', 'not there yet')
}
