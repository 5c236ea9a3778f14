import { createHmac, timingSafeEqual } from 'node:crypto'
import { ATTRIBUTE, HMAC_SHA1_BYTES, STUN_HEADER_BYTES, type StunMessage } from './message.ts'

/**
 * Whether MESSAGE-INTEGRITY was made with `key` (RFC 8489 §14.5).
 *
 * The comparison takes the same time wherever the first wrong byte is.
 */
export function isAuthentic(message: StunMessage, key: string | Buffer): boolean {
  const value = message.attributes.get(ATTRIBUTE.messageIntegrity)
  if (value === undefined || message.integrityAt === undefined) return false
  return timingSafeEqual(value, integrity(message.bytes, message.integrityAt, key))
}

/** HMAC-SHA1 over the bytes before `end`, with the header's length as if MESSAGE-INTEGRITY were the last attribute. */
export function integrity(bytes: Buffer, end: number, key: string | Buffer): Buffer {
  const header = Buffer.from(bytes.subarray(0, STUN_HEADER_BYTES))
  header.writeUInt16BE(end + 4 + HMAC_SHA1_BYTES - STUN_HEADER_BYTES, 2)
  return createHmac('sha1', key).update(header).update(bytes.subarray(STUN_HEADER_BYTES, end)).digest()
}
