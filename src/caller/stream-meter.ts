import type { ReceivedPacket } from './peer.ts'

/** What a received stream looked like. */
export interface StreamReport {
  readonly received: number
  /** Gaps in the sequence that were never filled. */
  readonly lost: number
  /** Packets that came after one with a higher sequence number. */
  readonly reordered: number
  readonly duplicated: number
  /** RFC 3550 §6.4.1, at the end. */
  readonly jitterMs: number
}

/** Follows one RTP stream (RFC 3550 appendix A), across wraparound. */
export class StreamMeter {
  readonly #clockRateHz: number
  readonly #seen = new Set<number>()
  #base: number | undefined
  #highest = 0
  #received = 0
  #reordered = 0
  #duplicated = 0
  #transit: number | undefined
  #jitterTicks = 0

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz
  }

  onPacket(packet: Pick<ReceivedPacket, 'sequence' | 'timestamp' | 'atMs'>): void {
    const sequence = this.#extended(packet.sequence)
    if (this.#seen.has(sequence)) {
      this.#duplicated++
      return
    }
    this.#seen.add(sequence)
    this.#received++
    if (sequence < this.#highest) this.#reordered++
    this.#highest = Math.max(this.#highest, sequence)
    this.#onTransit(packet)
  }

  report(): StreamReport {
    const expected = this.#base === undefined ? 0 : this.#highest - this.#base + 1
    return {
      received: this.#received,
      lost: expected - this.#received,
      reordered: this.#reordered,
      duplicated: this.#duplicated,
      jitterMs: (this.#jitterTicks / this.#clockRateHz) * 1_000,
    }
  }

  /** The sequence number with its cycles, the one nearest to the highest seen. */
  #extended(sequence: number): number {
    if (this.#base === undefined) {
      this.#base = sequence
      this.#highest = sequence
      return sequence
    }
    const difference = ((sequence - this.#highest) << 16) >> 16
    const extended = this.#highest + difference
    if (extended < this.#base) this.#base = extended
    return extended
  }

  #onTransit(packet: Pick<ReceivedPacket, 'timestamp' | 'atMs'>): void {
    const transit = (packet.atMs / 1_000) * this.#clockRateHz - packet.timestamp
    if (this.#transit !== undefined) {
      // A wrapped timestamp looks like a jump of 2^32 ticks; the difference is taken modulo that.
      const change = Math.abs(((transit - this.#transit + 2 ** 31) % 2 ** 32) - 2 ** 31)
      this.#jitterTicks += (change - this.#jitterTicks) / 16
    }
    this.#transit = transit
  }
}
