import { type ByteString, decodeUtf8 } from '../base/index.ts'
import { plainNumber } from '../tenancy/index.ts'

/**
 * What was dialled: the user part of a Request-URI without parameters, unescaped; numbers also without the marks people
 * write between digits (RFC 3966 §5.1.1).
 */
export function dialled(user: ByteString): string {
  return plainNumber(dialledText(user))
}

/** The same with the marks: the name of a user may have a dash or a dot. */
export function dialledText(user: ByteString): string {
  return decodeUtf8(unescaped(user.split(';')[0] ?? '')).trim()
}

function unescaped(text: ByteString): ByteString {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
