import { DecodeError, uint8, uint16, uint24 } from './wire.ts'

/** Handshake types (RFC 5246 §7.4). */
export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const

/** A whole handshake message. */
export interface HandshakeMessage {
  readonly type: number
  readonly sequence: number
  readonly body: Buffer
}

/** A message as it enters the transcript: with the header of an unfragmented one (RFC 6347 §4.2.6). */
export function wholeMessage(message: HandshakeMessage): Buffer {
  return Buffer.concat(fragmentOf(message, 0, message.body.length))
}

/** A message cut so that no piece exceeds `maxBytes`, each with its header (RFC 6347 §4.2.3). */
export function fragments(message: HandshakeMessage, maxBytes: number): readonly Buffer[] {
  const room = maxBytes - HANDSHAKE_HEADER_BYTES
  const pieces: Buffer[] = []
  for (let at = 0; at === 0 || at < message.body.length; at += room) {
    pieces.push(Buffer.concat(fragmentOf(message, at, Math.min(room, message.body.length - at))))
  }
  return pieces
}

function fragmentOf({ type, sequence, body }: HandshakeMessage, offset: number, length: number): Buffer[] {
  const header = [uint8(type), uint24(body.length), uint16(sequence), uint24(offset), uint24(length)]
  return [...header, body.subarray(offset, offset + length)]
}

const HANDSHAKE_HEADER_BYTES = 12
/** A certificate chain of a browser has one certificate of some hundred bytes. */
const MAX_MESSAGE_BYTES = 16_384
/** How far ahead of the next message fragments are kept: a flight has at most five messages. */
const MAX_AHEAD = 8

interface Partial {
  readonly type: number
  readonly body: Buffer
  readonly have: Uint8Array
  missing: number
}

/**
 * Puts handshake messages together from fragments in any order, repeated or overlapping (RFC 6347 §4.2.3).
 *
 * Browsers send a ClientHello in two datagrams since their key shares became post-quantum.
 */
export class Reassembly {
  #next = 0
  readonly #partial = new Map<number, Partial>()

  /** The sequence number of the message that `take` gives next. */
  get next(): number {
    return this.#next
  }

  /**
   * Takes the fragments of one record. Only a Finished, and nothing else, belongs into epoch 1.
   *
   * @returns Whether one of them belongs to a message that was complete before: the peer repeats itself.
   * @throws DecodeError when a fragment contradicts itself or earlier ones.
   */
  add(record: Buffer, epoch: number): boolean {
    let repeated = false
    for (let at = 0; at < record.length; ) {
      if (at + HANDSHAKE_HEADER_BYTES > record.length) throw new DecodeError('half a handshake header')
      const length = record.readUIntBE(at + 9, 3)
      const end = at + HANDSHAKE_HEADER_BYTES + length
      if (end > record.length) throw new DecodeError('a fragment is longer than its record')
      if ((record.readUInt8(at) === HANDSHAKE.finished) !== (epoch === 1)) {
        throw new DecodeError('a handshake message in the wrong epoch')
      }
      repeated = this.#addFragment(record.subarray(at, end)) || repeated
      at = end
    }
    return repeated
  }

  /** The next message in order, if it is complete. */
  take(): HandshakeMessage | undefined {
    const partial = this.#partial.get(this.#next)
    if (partial === undefined || partial.missing > 0) return undefined
    this.#partial.delete(this.#next)
    this.#next++
    return { type: partial.type, sequence: this.#next - 1, body: partial.body }
  }

  /** Forgets that a message was taken: what came made no sense, so its repetition is welcome. */
  retract(message: HandshakeMessage): void {
    this.#next = message.sequence
  }

  #addFragment(fragment: Buffer): boolean {
    const sequence = fragment.readUInt16BE(4)
    if (sequence < this.#next) return true
    const total = fragment.readUIntBE(1, 3)
    const offset = fragment.readUIntBE(6, 3)
    const content = fragment.subarray(HANDSHAKE_HEADER_BYTES)
    if (sequence > this.#next + MAX_AHEAD) throw new DecodeError('a handshake message far ahead')
    if (total > MAX_MESSAGE_BYTES || offset + content.length > total) throw new DecodeError('a fragment out of bounds')
    const partial = this.#partial.get(sequence) ?? this.#start(sequence, fragment.readUInt8(0), total)
    if (partial.type !== fragment.readUInt8(0) || partial.body.length !== total) {
      this.#partial.delete(sequence) // The peer's repetition decides which was right.
      throw new DecodeError('fragments of one message disagree')
    }
    for (let i = 0; i < content.length; i++) {
      if (partial.have[offset + i] === 1) continue
      partial.have[offset + i] = 1
      partial.body[offset + i] = content[i] ?? 0
      partial.missing--
    }
    return false
  }

  #start(sequence: number, type: number, total: number): Partial {
    const partial = { type, body: Buffer.alloc(total), have: new Uint8Array(total), missing: total }
    this.#partial.set(sequence, partial)
    return partial
  }
}
