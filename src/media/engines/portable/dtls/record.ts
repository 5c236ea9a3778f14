import type { RecordProtection } from './record-protection.ts'

/** Record types (RFC 6347 §4.1). */
export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const

export const RECORD_HEADER_BYTES = 13
export const DTLS_1_2 = 0xfefd
/** The version written in records before one is agreed: some peers drop anything else. */
const DTLS_1_0 = 0xfeff

export interface DtlsRecord {
  readonly type: number
  readonly epoch: number
  /** 48 bits. */
  readonly sequence: number
  /** As on the wire: still encrypted when `epoch` is 1. */
  readonly fragment: Buffer
  readonly header: Buffer
}

/** The records of a datagram. What follows the first broken one is dropped (RFC 6347 §4.1.2.7). */
export function* parseRecords(datagram: Buffer): Generator<DtlsRecord> {
  let at = 0
  while (at + RECORD_HEADER_BYTES <= datagram.length) {
    const version = datagram.readUInt16BE(at + 1)
    const end = at + RECORD_HEADER_BYTES + datagram.readUInt16BE(at + 11)
    if (end > datagram.length || (version !== DTLS_1_2 && version !== DTLS_1_0)) return
    yield {
      type: datagram.readUInt8(at),
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      header: datagram.subarray(at, at + RECORD_HEADER_BYTES),
      fragment: datagram.subarray(at + RECORD_HEADER_BYTES, end),
    }
    at = end
  }
}

/** What a record carries before it gets its sequence number. */
export interface Outgoing {
  readonly type: number
  readonly epoch: number
  readonly content: Buffer
}

/** The wire form of a record, encrypted if there is a protection. */
export function serializeRecord(out: Outgoing, sequence: number, protection: RecordProtection | undefined): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES)
  header.writeUInt8(out.type, 0)
  header.writeUInt16BE(DTLS_1_2, 1)
  header.writeUInt16BE(out.epoch, 3)
  header.writeUIntBE(sequence, 5, 6)
  header.writeUInt16BE(out.content.length, 11)
  const fragment = protection === undefined ? out.content : protection.seal(header, out.content)
  header.writeUInt16BE(fragment.length, 11)
  return Buffer.concat([header, fragment])
}
