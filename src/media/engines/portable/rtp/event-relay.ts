import type { RtpHeader } from './packet.ts'
import { buildTelephoneEvent, LONGEST_DURATION, readTelephoneEvent } from './telephone-event.ts'

/** A telephone-event on its way to another clock. */
interface EventInProgress {
  readonly ssrc: number
  readonly event: number
  /** RTP timestamp of the current segment at the source. */
  timestamp: number
  /** Ticks of the segments before, in the source's clock. */
  before: number
  /** Timestamp of the event's start on the outgoing line; set by its first packet. */
  start: number | undefined
}

/** What to send for an event packet. */
export interface RelayedEvent {
  readonly payload: Buffer
  /** On the outgoing line; `undefined`: the event begins, the line decides. */
  readonly start: number | undefined
  /** Added to the start: a long event is told in segments. */
  readonly offset: number
}

/**
 * Passes telephone-events on between clocks (RFC 4733 §2.3.5): durations are scaled, and all packets of an event keep
 * one timestamp, save the segments of an event too long for its duration field (§2.5.1.3).
 */
export class EventRelay {
  #current: EventInProgress | undefined

  /** `undefined`: not a telephone-event. */
  convert(payload: Buffer, header: RtpHeader, fromHz: number, toHz: number): RelayedEvent | undefined {
    const told = readTelephoneEvent(payload)
    if (told === undefined) return undefined
    const current = this.#follow(told.event, header)
    const total = Math.round(((current.before + told.duration) * toHz) / fromHz)
    const offset = Math.max(0, Math.ceil(total / LONGEST_DURATION) - 1) * LONGEST_DURATION
    return { payload: buildTelephoneEvent({ ...told, duration: total - offset }), start: current.start, offset }
  }

  /** The line gave the event's start. */
  started(timestamp: number): void {
    if (this.#current !== undefined) this.#current.start = timestamp
  }

  cut(): void {
    this.#current = undefined
  }

  #follow(event: number, { ssrc, timestamp }: RtpHeader): EventInProgress {
    const current = this.#current
    if (current?.event === event && current.ssrc === ssrc) {
      if (current.timestamp === timestamp) return current
      if ((current.timestamp + LONGEST_DURATION) >>> 0 === timestamp) {
        current.timestamp = timestamp
        current.before += LONGEST_DURATION
        return current
      }
    }
    this.#current = { ssrc, event, timestamp, before: 0, start: undefined }
    return this.#current
  }
}
