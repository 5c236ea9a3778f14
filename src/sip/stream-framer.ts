import { type ByteString, GatewayError } from '../base/index.ts'

/** Cuts a byte stream into messages (RFC 3261 §18.3). One per connection. */
export interface StreamFramer {
  /**
   * @returns The messages that became whole, and how many keep-alives (CRLFCRLF, RFC 5626 §3.5.1) want a CRLF.
   * @throws GatewayError `SIP_MALFORMED_MESSAGE`, `SIP_MESSAGE_TOO_LARGE`: framing is lost, close the connection.
   */
  push(chunk: ByteString): { readonly messages: readonly ByteString[]; readonly pongs: number }
}

export function createStreamFramer(): StreamFramer {
  throw new GatewayError('INTERNAL', 'not there yet')
}
