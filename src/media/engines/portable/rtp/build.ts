import { RTP_HEADER_BYTES } from './packet.ts'

/** An RTP packet to be made. */
export interface OutgoingRtp {
  readonly marker: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  /** The media identification toward a bundling peer (RFC 9143 §15.1): one-byte extension of this id (RFC 8285). */
  readonly mid?: { readonly id: number; readonly value: string }
}

/** Makes an RTP packet without CSRC and padding. Extensions of the source are not passed on. */
export function buildRtp(fields: OutgoingRtp, payload: Uint8Array): Buffer {
  const extension = fields.mid === undefined ? NO_EXTENSION : midExtension(fields.mid)
  const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + extension.length + payload.length)
  packet.writeUInt8(extension.length === 0 ? 0x80 : 0x90, 0)
  packet.writeUInt8((fields.marker ? 0x80 : 0) | fields.payloadType, 1)
  packet.writeUInt16BE(fields.sequence, 2)
  packet.writeUInt32BE(fields.timestamp, 4)
  packet.writeUInt32BE(fields.ssrc, 8)
  packet.set(extension, RTP_HEADER_BYTES)
  packet.set(payload, RTP_HEADER_BYTES + extension.length)
  return packet
}

/** The header extension with `mid`; none if the id or the length does not fit the one-byte form. */
function midExtension({ id, value }: { readonly id: number; readonly value: string }): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  if (id < 1 || id > 14 || bytes.length < 1 || bytes.length > 16) return NO_EXTENSION
  const words = Math.ceil((1 + bytes.length) / 4)
  const extension = Buffer.alloc(4 + 4 * words)
  extension.writeUInt16BE(0xbede, 0)
  extension.writeUInt16BE(words, 2)
  extension.writeUInt8((id << 4) | (bytes.length - 1), 4)
  bytes.copy(extension, 5)
  return extension
}

const NO_EXTENSION: Buffer = Buffer.alloc(0)
