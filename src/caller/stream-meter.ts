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
  /** The last packets by sequence number modulo the window, so that a day of talk takes no more memory than a minute. */
  readonly #seen = new Float64Array(WINDOW).fill(-1)
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
    const slot = sequence % WINDOW
    if (this.#seen[slot] === sequence) {
      this.#duplicated++
      return
    }
    // Too late for anybody to play, and too late to tell whether it came before: it stays lost.
    if (sequence <= this.#highest - WINDOW) return
    this.#seen[slot] = sequence
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
      // A cycle ahead, so that packets from before the first one are not below zero.
      this.#base = sequence + CYCLE
      this.#highest = this.#base
      return this.#base
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

/** 40 s of packets of 20 ms. */
const WINDOW = 2_048
const CYCLE = 65_536
