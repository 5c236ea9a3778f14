import { isIPv4 } from 'node:net'
import { integrity } from './integrity.ts'
import { ATTRIBUTE, BINDING, fingerprint, MAGIC_COOKIE, STUN_HEADER_BYTES, type StunMessage } from './message.ts'

export interface StunParts {
  readonly class: StunMessage['class']
  readonly transactionId: Buffer
  readonly attributes: readonly (readonly [type: number, value: Buffer])[]
  /** Password for MESSAGE-INTEGRITY; absent: none is added (an error before authentication). */
  readonly key?: string | Buffer
  /** Value of padding bytes. RFC 5769 uses 0x20; ours is 0. */
  readonly padding?: number
}

const CLASS_BITS = { request: 0, indication: 0x0010, success: 0x0100, error: 0x0110 } as const

/** A Binding message with MESSAGE-INTEGRITY if there is a key, and FINGERPRINT always (RFC 8445 §7). */
export function buildStun(parts: StunParts): Buffer {
  const header = Buffer.alloc(STUN_HEADER_BYTES)
  header.writeUInt16BE(BINDING | CLASS_BITS[parts.class], 0)
  header.writeUInt32BE(MAGIC_COOKIE, 4)
  parts.transactionId.copy(header, 8)
  const padding = parts.padding ?? 0
  let bytes = Buffer.concat([header, ...parts.attributes.map(([type, value]) => attribute(type, value, padding))])
  if (parts.key !== undefined) {
    const hmac = integrity(bytes, bytes.length, parts.key)
    bytes = Buffer.concat([bytes, attribute(ATTRIBUTE.messageIntegrity, hmac, padding)])
  }
  bytes.writeUInt16BE(bytes.length + 8 - STUN_HEADER_BYTES, 2)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(fingerprint(bytes, bytes.length))
  return Buffer.concat([bytes, attribute(ATTRIBUTE.fingerprint, crc, padding)])
}

function attribute(type: number, value: Buffer, padding: number): Buffer {
  const out = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4, padding)
  out.writeUInt16BE(type, 0)
  out.writeUInt16BE(value.length, 2)
  value.copy(out, 4)
  return out
}

/** The value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2). */
export function xorMappedAddress(address: string, port: number, transactionId: Buffer): Buffer {
  const ip = addressBytes(address)
  const out = Buffer.alloc(4 + ip.length)
  out.writeUInt8(ip.length === 4 ? 1 : 2, 1)
  out.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2)
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(MAGIC_COOKIE, 0)
  transactionId.copy(mask, 4)
  for (let i = 0; i < ip.length; i++) out[4 + i] = (ip[i] ?? 0) ^ (mask[i] ?? 0)
  return out
}

/** The value of ERROR-CODE, without a reason phrase: answers to strangers stay small (RFC 8489 §14.8). */
export function errorCode(status: number): Buffer {
  return Buffer.from([0, 0, Math.floor(status / 100), status % 100])
}

/** 4 or 16 bytes of an IP address as the socket layer prints it. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return addressBytes(mapped)
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  const out = Buffer.alloc(16)
  const groups = [...front, ...zeros, ...back].slice(0, 8)
  groups.forEach((group, index) => {
    out.writeUInt16BE(Number.parseInt(group, 16) & 0xffff, index * 2)
  })
  return out
}
