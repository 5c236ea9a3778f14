import type { Millis } from '../../../../base/index.ts'
import { ReplayWindow } from '../replay-window.ts'
import type { RtpHeader } from './packet.ts'

/** Where a packet goes on the outgoing line. */
export interface Place {
  readonly sequence: number
  readonly timestamp: number
  /** The line continues with another source here. */
  readonly begins: boolean
}

/** The stretch of the line that comes from one source. Its numbers keep their distances. */
interface Segment {
  readonly ssrc: number
  readonly clockRateHz: number
  readonly since: Millis
  /** Extended sequence number of its first packet; earlier ones would fall into the stretch before. */
  first: number
  /** Added to an extended sequence number of the source. */
  shift: number
  highest: number
  timestamp: number
  timestampShift: number
}

/**
 * One line of sequence numbers and timestamps out of any sources.
 *
 * Losses and reordering of a source are passed on, so that the receiver sees them. Where one source ends and the next
 * begins, the sequence number goes on by one and the timestamp by the time that passed, at least by one packet. No
 * number is given twice: with SRTP that would use a key stream twice.
 */
export class Continuity {
  readonly #given = new ReplayWindow(WINDOW_PACKETS)
  #highest: number
  #segment: Segment | undefined
  #before: Segment | undefined
  /** The newest timestamp given, and when. */
  #timestamp: number
  #at: Millis | undefined
  #stepMs = DEFAULT_STEP_MS
  /** Repetitions in a row. */
  #refused = 0

  constructor(firstSequence: number, firstTimestamp: number) {
    this.#highest = SEQUENCES + firstSequence - 1
    this.#timestamp = firstTimestamp
  }

  /** The source ends; whatever comes next continues the line. */
  cut(): void {
    this.#segment = undefined
    this.#before = undefined
  }

  /** `undefined`: given before, too late, or from a source that was replaced. */
  place(header: RtpHeader, clockRateHz: number, now: Millis): Place | undefined {
    const segment = this.#segment
    if (
      segment === undefined ||
      this.#isAnother(segment, header, clockRateHz) ||
      this.#isResumed(segment, header, now)
    ) {
      return this.#isLeftover(header, now) ? undefined : this.#begin(header, clockRateHz, now)
    }
    const index = segment.highest + distance16(segment.highest, header.sequence)
    if (!this.#give(segment, index)) return undefined
    if (index > segment.highest) this.#proceed(segment, index, header.timestamp, now)
    return this.#placeOf(index + segment.shift, header.timestamp + segment.timestampShift, false)
  }

  /**
   * The place of a telephone-event packet: its timestamp is that of the event's start and moves nothing.
   *
   * @param timestamp On the outgoing line; `undefined` for the first packet of an event, then it is found here.
   */
  placeEvent(header: RtpHeader, clockRateHz: number, now: Millis, timestamp: number | undefined): Place | undefined {
    const segment = this.#segment
    const start = timestamp ?? this.#relayedStart(header.timestamp, clockRateHz, now)
    if (segment === undefined || this.#isAnother(segment, header, clockRateHz)) {
      if (this.#isLeftover(header, now)) return undefined
      const place = this.#begin(header, clockRateHz, now)
      return timestamp === undefined ? place : { ...place, timestamp }
    }
    const index = segment.highest + distance16(segment.highest, header.sequence)
    if (!this.#give(segment, index)) return undefined
    if (index > segment.highest) this.#raise(segment, index)
    return this.#placeOf(index + segment.shift, start, false)
  }

  /** The place of a packet made here, `ticks` after the one before it. */
  next(ticks: number, clockRateHz: number, now: Millis): Place {
    const begins = this.#segment?.ssrc !== MADE_HERE || this.#segment.clockRateHz !== clockRateHz
    const advance = begins ? this.#advance(clockRateHz, now) : ticks
    this.#timestamp = (this.#timestamp + advance) >>> 0
    this.#at = now
    this.#highest++
    this.#given.add(this.#highest)
    this.#segment = { ...NOTHING, ssrc: MADE_HERE, clockRateHz, since: now }
    return this.#placeOf(this.#highest, this.#timestamp, begins)
  }

  /**
   * The number after the newest, for a packet made here that stands between those of the source: these keep their
   * distances, but one that was overtaken comes too late now.
   */
  insert(): number {
    this.#highest++
    this.#given.add(this.#highest)
    if (this.#segment !== undefined) {
      this.#segment.shift++
      this.#segment.first = this.#segment.highest + 1
    }
    return this.#highest % SEQUENCES
  }

  /** Where the line's clock is now, for an event made here: it moves no timestamp. */
  eventStart(clockRateHz: number, now: Millis): number {
    this.#at ??= now // Two events before any sound must not have one timestamp.
    return (this.#timestamp + ticks(now - this.#at, clockRateHz)) >>> 0
  }

  /** Clock of the current stretch. */
  get clockRateHz(): number | undefined {
    return this.#segment?.clockRateHz
  }

  /** A timestamp of the current source on the line. */
  mapTimestamp(ssrc: number, timestamp: number): number | undefined {
    const segment = this.#segment
    return segment?.ssrc === ssrc ? (timestamp + segment.timestampShift) >>> 0 : undefined
  }

  timestampAt(now: Millis): number | undefined {
    if (this.#at === undefined || this.#segment === undefined) return undefined
    return (this.#timestamp + ticks(now - this.#at, this.#segment.clockRateHz)) >>> 0
  }

  #begin(header: RtpHeader, clockRateHz: number, now: Millis): Place {
    this.#timestamp = (this.#timestamp + this.#advance(clockRateHz, now)) >>> 0
    this.#at = now
    this.#highest++
    this.#given.add(this.#highest)
    const first = SEQUENCES + header.sequence
    this.#before = this.#segment
    this.#refused = 0
    this.#segment = {
      ssrc: header.ssrc,
      clockRateHz,
      since: now,
      first,
      shift: this.#highest - first,
      highest: first,
      timestamp: header.timestamp,
      timestampShift: this.#timestamp - header.timestamp,
    }
    return this.#placeOf(this.#highest, this.#timestamp, true)
  }

  /** Takes the number of a packet, if it is free. */
  #give(segment: Segment, index: number): boolean {
    const outgoing = index + segment.shift
    const free = index >= segment.first && this.#given.isNew(outgoing)
    if (free) this.#given.add(outgoing)
    this.#refused = free ? 0 : this.#refused + 1
    return free
  }

  /** The next packet in order: moves the line on, by what the source says if that can be. */
  #proceed(segment: Segment, index: number, timestamp: number, now: Millis): void {
    const step = distance32(segment.timestamp, timestamp)
    const elapsed = ticks(now - (this.#at ?? now), segment.clockRateHz)
    const stepMs = (1_000 * step) / segment.clockRateHz
    if (Math.abs(step - elapsed) > ticks(TOLERATED_MS, segment.clockRateHz)) {
      // The source began its timestamps anew, or its clock stood still during a hold.
      const resumed = this.#timestamp + this.#advance(segment.clockRateHz, now)
      segment.timestampShift = resumed - timestamp
    } else if (index === segment.highest + 1 && stepMs > 0 && stepMs <= LONGEST_STEP_MS) {
      this.#stepMs = stepMs
    }
    segment.timestamp = timestamp
    this.#timestamp = (timestamp + segment.timestampShift) >>> 0
    this.#at = now
    this.#raise(segment, index)
  }

  #raise(segment: Segment, index: number): void {
    segment.highest = index
    this.#highest = index + segment.shift
  }

  #isAnother(segment: Segment, { ssrc, sequence }: RtpHeader, clockRateHz: number): boolean {
    if (segment.ssrc !== ssrc || segment.clockRateHz !== clockRateHz) return true
    const distance = distance16(segment.highest, sequence)
    // A source that began anew just below its old numbers looks like repetitions that never end.
    return distance > DROPOUT_PACKETS || distance < -MISORDER_PACKETS || this.#refused >= REFUSED_PACKETS
  }

  /** Packets are missing after a long silence: they were never meant for this line (hold). */
  #isResumed(segment: Segment, { sequence }: RtpHeader, now: Millis): boolean {
    return distance16(segment.highest, sequence) > 1 && now - (this.#at ?? now) > INTERRUPTED_MS
  }

  /** A packet of the SSRC before, overtaken by the first one of the new SSRC. */
  #isLeftover({ ssrc, sequence }: RtpHeader, now: Millis): boolean {
    const before = this.#before
    if (before?.ssrc !== ssrc || this.#segment === undefined || this.#segment.ssrc === ssrc) return false
    return now - this.#segment.since < LEFTOVER_MS && distance16(before.highest, sequence) <= 0
  }

  /** Ticks from the newest timestamp to the first one of what comes next. */
  #advance(clockRateHz: number, now: Millis): number {
    if (this.#at === undefined) return 0
    return Math.max(ticks(this.#stepMs, clockRateHz), ticks(now - this.#at, clockRateHz))
  }

  #relayedStart(timestamp: number, clockRateHz: number, now: Millis): number {
    const expected = this.timestampAt(now) ?? this.#timestamp
    const mapped = (timestamp + (this.#segment?.timestampShift ?? 0)) >>> 0
    return Math.abs(distance32(expected, mapped)) > ticks(TOLERATED_MS, clockRateHz) ? expected : mapped
  }

  #placeOf(index: number, timestamp: number, begins: boolean): Place {
    return { sequence: index % SEQUENCES, timestamp: timestamp >>> 0, begins }
  }
}

function ticks(ms: number, clockRateHz: number): number {
  return Math.round((ms * clockRateHz) / 1_000)
}

/** From an extended or plain 16-bit number to another, the short way round. */
function distance16(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}

function distance32(from: number, to: number): number {
  return (to - from) | 0
}

const SEQUENCES = 0x1_0000
/** How far ahead and how late a packet may be to belong to the same stretch (RFC 3550 A.1). */
export const DROPOUT_PACKETS = 3_000
export const MISORDER_PACKETS = 100
/** More than the latest packet, a multiple of 32. */
const WINDOW_PACKETS = 128
const REFUSED_PACKETS = 16
const DEFAULT_STEP_MS = 20
const LONGEST_STEP_MS = 200
/** How far a source's timestamps may be from the time that passed between two packets. */
const TOLERATED_MS = 3_000
const INTERRUPTED_MS = 2_000
const LEFTOVER_MS = 1_000
/** Not an SSRC: the stretch is made here. */
const MADE_HERE = -1
const NOTHING: Segment = {
  ssrc: MADE_HERE,
  clockRateHz: 1,
  since: 0,
  first: 0,
  shift: 0,
  highest: 0,
  timestamp: 0,
  timestampShift: 0,
}
