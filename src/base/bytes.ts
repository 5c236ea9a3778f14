/**
 * A string whose every character is one byte of the wire (U+0000 to U+00FF).
 *
 * SIP is parsed and written in this form: lengths are byte lengths, unknown bytes survive, and the engine keeps one
 * byte per character. Decode it only where a person reads it.
 */
export type ByteString = string

/** The text a person should see: the bytes read as UTF-8, or as they stand if they are not UTF-8. */
export function decodeUtf8(bytes: ByteString): string {
  if (isAscii(bytes)) return bytes
  try {
    return decodeURIComponent(percentEncoded(bytes))
  } catch {
    return bytes // Not UTF-8: an old peer's Latin-1 reads right as it is.
  }
}

/** The wire form of a text: its UTF-8 bytes, one per character. */
export function encodeUtf8(text: string): ByteString {
  if (isAscii(text)) return text
  return encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function percentEncoded(bytes: ByteString): string {
  let out = ''
  for (let i = 0; i < bytes.length; i++) out += `%${(bytes.charCodeAt(i) & 0xff).toString(16).padStart(2, '0')}`
  return out
}
