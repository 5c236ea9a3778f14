import type { Millis } from '../../../../base/index.ts'
import type { FlightItem } from './handshake.ts'
import { fragments } from './handshake-message.ts'
import { CONTENT, type Outgoing, RECORD_HEADER_BYTES, serializeRecord } from './record.ts'
import type { RecordProtection } from './record-protection.ts'

/**
 * The flight that is repeated until the peer's next one arrives (RFC 6347 §4.2.4).
 *
 * The first repetition comes after 100 ms instead of the RFC's 1 s: a person waits for the first word of a call.
 */
export class Flight {
  #items: readonly FlightItem[] = []
  #sequences: [epoch0: number, epoch1: number] = [0, 0]
  #intervalMs = FIRST_INTERVAL_MS
  #sentAt: Millis | undefined

  /** When to send it again; the caller stops asking once the handshake is over. */
  get repeatAt(): Millis | undefined {
    return this.#sentAt === undefined || this.#items.length === 0 ? undefined : this.#sentAt + this.#intervalMs
  }

  replace(items: readonly FlightItem[]): void {
    this.#items = items
    this.#intervalMs = FIRST_INTERVAL_MS / 2 // `transmit` doubles it.
  }

  /** Whether a repetition by the peer is answered: a flight of many datagrams is, but once. */
  mayRepeat(now: Millis): boolean {
    return this.#items.length > 0 && (this.#sentAt === undefined || now - this.#sentAt >= ANSWER_GAP_MS)
  }

  /** The datagrams of the flight, with fresh record numbers. */
  transmit(now: Millis, protection: RecordProtection | undefined): readonly Buffer[] {
    this.#sentAt = now
    this.#intervalMs = Math.min(this.#intervalMs * 2, MAX_INTERVAL_MS)
    const records = this.#items.flatMap(outgoing).map((out) => {
      return serializeRecord(out, this.nextSequence(out.epoch), out.epoch === 0 ? undefined : protection)
    })
    return packed(records)
  }

  nextSequence(epoch: number): number {
    return epoch === 0 ? this.#sequences[0]++ : this.#sequences[1]++
  }
}

function outgoing(item: FlightItem): readonly Outgoing[] {
  if (item.kind === 'change-cipher-spec') {
    return [{ type: CONTENT.changeCipherSpec, epoch: 0, content: Buffer.from([1]) }]
  }
  return fragments(item.message, MAX_DATAGRAM_BYTES - RECORD_HEADER_BYTES).map((content) => {
    return { type: CONTENT.handshake, epoch: item.epoch, content }
  })
}

/** Records put together into as few datagrams as fit a path of any kind. */
function packed(records: readonly Buffer[]): readonly Buffer[] {
  const datagrams: Buffer[] = []
  let open: Buffer[] = []
  let size = 0
  for (const record of records) {
    if (size > 0 && size + record.length > MAX_DATAGRAM_BYTES) {
      datagrams.push(Buffer.concat(open))
      open = []
      size = 0
    }
    open.push(record)
    size += record.length
  }
  if (open.length > 0) datagrams.push(Buffer.concat(open))
  return datagrams
}

const MAX_DATAGRAM_BYTES = 1_200
const FIRST_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 1_000
const ANSWER_GAP_MS = 20
