import type { ByteString } from '../../base/index.ts'
import { ID } from './header-names.ts'
import type { SipMessage } from './model.ts'

/** The bytes of a message. Content-Length is always that of the body, whatever stood there. */
export function writeMessage(message: SipMessage): ByteString {
  const { lines } = message.headers
  let text =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`
  for (let i = 0; i < lines.count; i++) {
    if (lines.idOf(i) !== ID.contentLength) text += `${lines.nameOf(i)}: ${lines.valueOf(i)}\r\n`
  }
  return `${text}Content-Length: ${message.body.length}\r\n\r\n${message.body}`
}
