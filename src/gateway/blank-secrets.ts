import { type ByteString, decodeUtf8 } from '../base/index.ts'

/** Longest part of a message that is shown, in characters. */
const SHOWN = 16_384

/** Digest answers, keys (RFC 4568 §9.1, RFC 4567, RFC 4566 §5.12), ICE and URI passwords: with these a reader could act as the peer. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/^((?:proxy-)?authorization[ \t]*:[ \t]*\S*)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim, '$1 [secret]'],
  [/^((?:proxy-)?authentication-info[ \t]*:)[^\r\n]*/gim, '$1 [secret]'],
  [/(\binline:)[^\s|;]+/gi, '$1[secret]'],
  [/^(a=key-mgmt:\S+|k=[^:\r\n]*:)[^\r\n]*/gim, '$1 [secret]'],
  [/(\bsips?:[^\s:@;?<>"]{1,255}:)[^\s@;?<>"]{1,255}(?=@)/gi, '$1[secret]'],
  [/^(a=ice-pwd:)[^\r\n]*/gim, '$1[secret]'],
]

/** A SIP message as a person may read it: UTF-8 decoded, secrets replaced, the end cut off if it is very long. */
export function readableMessage(data: ByteString): string {
  const blanked = SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), data)
  const text = decodeUtf8(blanked)
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`
}
