import { type ByteString, decodeUtf8 } from '../base/index.ts'

/**
 * What was dialled: the user part of a Request-URI without parameters, unescaped; numbers also without the marks people
 * write between digits (RFC 3966 §5.1.1).
 */
export function dialled(user: ByteString): string {
  const plain = decodeUtf8(unescaped(user.split(';')[0] ?? '')).trim()
  const digits = plain.replace(/[-.() ]/g, '')
  return /^\+?[0-9*#]+$/.test(digits) ? digits : plain
}

function unescaped(text: ByteString): ByteString {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** A number as a user part: what RFC 3261 §25.1 does not allow there is escaped. */
export function userPart(number: string): ByteString {
  return number.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g, (c) => encodeURIComponent(c))
}
