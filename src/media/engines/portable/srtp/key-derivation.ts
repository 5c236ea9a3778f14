import { createCipheriv } from 'node:crypto'

/** What a key is for (RFC 3711 §4.3.1, §4.3.2). */
export const LABEL = {
  rtpEncryption: 0,
  rtpAuthentication: 1,
  rtpSalt: 2,
  rtcpEncryption: 3,
  rtcpAuthentication: 4,
  rtcpSalt: 5,
} as const

/**
 * Derives a session key or salt of `length` bytes with AES in counter mode (RFC 3711 §4.3.3; a key of 32 bytes:
 * RFC 6188 §3). The key derivation rate is 0: keys do not change during a session.
 *
 * @param masterSalt 14 bytes, or 12 (RFC 7714 §11), then padded with zeros on the right.
 */
export function deriveKey(masterKey: Buffer, masterSalt: Buffer, label: number, length: number): Buffer {
  const block = Buffer.alloc(16)
  masterSalt.copy(block)
  block.writeUInt8(block.readUInt8(7) ^ label, 7)
  return createCipheriv(`aes-${masterKey.length * 8}-ctr`, masterKey, block).update(Buffer.alloc(length))
}
