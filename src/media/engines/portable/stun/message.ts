import { crc32 } from 'node:zlib'

/** A STUN message as received: views into the datagram, nothing copied. */
export interface StunMessage {
  readonly bytes: Buffer
  readonly class: 'request' | 'indication' | 'success' | 'error'
  readonly method: number
  /** 12 bytes (RFC 8489 §5). */
  readonly transactionId: Buffer
  /** The first attribute of each type that counts: those after MESSAGE-INTEGRITY do not (RFC 8489 §14.5). */
  readonly attributes: ReadonlyMap<number, Buffer>
  /** Where MESSAGE-INTEGRITY starts, counted from the first byte of the message. */
  readonly integrityAt: number | undefined
  readonly hasFingerprint: boolean
}

export const BINDING = 0x0001
export const STUN_HEADER_BYTES = 20
export const MAGIC_COOKIE = 0x2112a442
export const HMAC_SHA1_BYTES = 20
const FINGERPRINT_XOR = 0x5354554e

/** Attribute types (RFC 8489 §18.3, RFC 8445 §16.1). */
export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  messageIntegritySha256: 0x001c,
  passwordAlgorithm: 0x001d,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  software: 0x8022,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const

const CLASSES = ['request', 'indication', 'success', 'error'] as const

/**
 * Reads a datagram as STUN (RFC 8489 §6.3). Total: any bytes are safe.
 *
 * @returns `undefined` for what has to be dropped without an answer: not STUN, lengths that lie, a wrong FINGERPRINT.
 */
export function parseStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < STUN_HEADER_BYTES || bytes.readUInt8(0) > 0x3f) return undefined
  if (bytes.readUInt32BE(4) !== MAGIC_COOKIE) return undefined
  const length = bytes.readUInt16BE(2)
  if (length % 4 !== 0 || length + STUN_HEADER_BYTES !== bytes.length) return undefined
  const read = readAttributes(bytes)
  if (read === undefined) return undefined
  const type = bytes.readUInt16BE(0)
  return {
    bytes,
    class: CLASSES[((type >> 7) & 2) | ((type >> 4) & 1)] ?? 'request',
    method: (type & 0x000f) | ((type >> 1) & 0x0070) | ((type >> 2) & 0x0f80),
    transactionId: bytes.subarray(8, STUN_HEADER_BYTES),
    ...read,
  }
}

type AttributeSection = Pick<StunMessage, 'attributes' | 'integrityAt' | 'hasFingerprint'>

function readAttributes(bytes: Buffer): AttributeSection | undefined {
  const attributes = new Map<number, Buffer>()
  let integrityAt: number | undefined
  let at = STUN_HEADER_BYTES
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined
    const type = bytes.readUInt16BE(at)
    const length = bytes.readUInt16BE(at + 2)
    const next = at + 4 + length + ((4 - (length % 4)) % 4)
    if (next > bytes.length) return undefined
    if (type === ATTRIBUTE.fingerprint) {
      const right = length === 4 && next === bytes.length && bytes.readUInt32BE(at + 4) === fingerprint(bytes, at)
      return right ? { attributes, integrityAt, hasFingerprint: true } : undefined
    }
    if (type === ATTRIBUTE.messageIntegrity && length !== HMAC_SHA1_BYTES) return undefined
    if (integrityAt === undefined && !attributes.has(type))
      attributes.set(type, bytes.subarray(at + 4, at + 4 + length))
    if (type === ATTRIBUTE.messageIntegrity) integrityAt ??= at
    at = next
  }
  return { attributes, integrityAt, hasFingerprint: false }
}

/** The value of FINGERPRINT for the bytes before `end` (RFC 8489 §14.7). */
export function fingerprint(bytes: Buffer, end: number): number {
  return (crc32(bytes.subarray(0, end)) ^ FINGERPRINT_XOR) >>> 0
}
