import type { Millis } from '../../../../base/index.ts'
import { DROPOUT_PACKETS, MISORDER_PACKETS } from './continuity.ts'
import type { ReceptionReport, RtpReceiver } from './model.ts'
import type { RtpHeader } from './packet.ts'

/** Makes the statistics of one incoming stream. */
export function createRtpReceiver(): RtpReceiver {
  return new StreamStatistics()
}

class StreamStatistics implements RtpReceiver {
  ssrc: number | undefined
  packetsReceived = 0
  bytesReceived = 0
  /** Extended numbers: the first and the highest of this SSRC. */
  #first = 0
  #highest = 0
  #received = 0
  #lostBefore = 0
  /** The sequence number that would make a jump believable. */
  #believable = -1
  #transit: number | undefined
  #timestamp = -1
  #jitterTicks = 0
  #clockRateHz = 8_000
  #reported = { expected: 0, received: 0 }

  onPacket(header: RtpHeader, packetBytes: number, clockRateHz: number, now: Millis): boolean {
    if (header.ssrc !== this.ssrc) this.#restart(header)
    else if (!this.#follow(header)) return false
    this.#received++
    this.packetsReceived++
    this.bytesReceived += packetBytes
    this.#measure(header.timestamp, clockRateHz, now)
    return true
  }

  get packetsLost(): number {
    return this.#lostBefore + (this.ssrc === undefined ? 0 : this.#expected() - this.#received)
  }

  get jitterMs(): number {
    return (1_000 * this.#jitterTicks) / this.#clockRateHz
  }

  report(): ReceptionReport | undefined {
    if (this.ssrc === undefined) return undefined
    const expected = this.#expected()
    const expectedNow = expected - this.#reported.expected
    const lostNow = expectedNow - (this.#received - this.#reported.received)
    this.#reported = { expected, received: this.#received }
    return {
      ssrc: this.ssrc,
      lossFraction: expectedNow > 0 && lostNow > 0 ? lostNow / expectedNow : 0,
      packetsLost: expected - this.#received,
      highestSequence: this.#highest >>> 0,
      jitterTicks: Math.floor(this.#jitterTicks),
    }
  }

  #expected(): number {
    return this.#highest - this.#first + 1
  }

  /** RFC 3550 A.1: `false` for the first packet after a jump. */
  #follow(header: RtpHeader): boolean {
    const ahead = (header.sequence - this.#highest) & 0xffff
    if (ahead < DROPOUT_PACKETS) {
      this.#highest += ahead
      return true
    }
    if (ahead > 0xffff - MISORDER_PACKETS) return true
    if (header.sequence === this.#believable) {
      this.#restart(header)
      return true
    }
    this.#believable = (header.sequence + 1) & 0xffff
    return false
  }

  #restart(header: RtpHeader): void {
    this.#lostBefore = this.packetsLost
    this.ssrc = header.ssrc
    this.#first = header.sequence
    this.#highest = header.sequence
    this.#received = 0
    this.#reported = { expected: 0, received: 0 }
    this.#believable = -1
    this.#transit = undefined
    this.#timestamp = -1
  }

  /** RFC 3550 A.8; once for a timestamp: packets of a frame or of an event share it without being late. */
  #measure(timestamp: number, clockRateHz: number, now: Millis): void {
    if (clockRateHz !== this.#clockRateHz) {
      this.#jitterTicks *= clockRateHz / this.#clockRateHz
      this.#clockRateHz = clockRateHz
      this.#transit = undefined
    }
    if (timestamp === this.#timestamp) return
    this.#timestamp = timestamp
    const transit = Math.round((now * clockRateHz) / 1_000 - timestamp) | 0
    if (this.#transit !== undefined) {
      const change = Math.abs((transit - this.#transit) | 0)
      // A source that begins its timestamps anew says nothing about the network.
      if (change < clockRateHz * RESTART_S) this.#jitterTicks += (change - this.#jitterTicks) / 16
    }
    this.#transit = transit
  }
}

const RESTART_S = 10
