import type { Millis } from '../../../../base/index.ts'
import type { DtmfDetector, DtmfDigit } from './model.ts'
import type { RtpHeader } from './packet.ts'
import { digitOf, LONGEST_DURATION, readTelephoneEvent, type TelephoneEvent } from './telephone-event.ts'

/** Makes a detector for one incoming stream. */
export function createDtmfDetector(): DtmfDetector {
  return new EventWatch()
}

interface Watched {
  readonly ssrc: number
  readonly event: number
  readonly clockRateHz: number
  timestamp: number
  /** Ticks of the segments before (RFC 4733 §2.5.1.3). */
  before: number
  duration: number
  told: boolean
  silentAt: Millis
}

class EventWatch implements DtmfDetector {
  #current: Watched | undefined

  onPacket(packet: Buffer, header: RtpHeader, clockRateHz: number, now: Millis): readonly DtmfDigit[] {
    const told = readTelephoneEvent(packet.subarray(header.payloadOffset, header.payloadEnd))
    if (told === undefined) return []
    const current = this.#current
    if (current !== undefined && isSame(current, told, header)) return this.#proceed(current, told, header, now)
    if (current !== undefined && isOld(current, header)) return []
    const finished = this.#finish()
    const { ssrc, timestamp } = header
    const next = { ssrc, event: told.event, clockRateHz, timestamp, before: 0, duration: 0, told: false, silentAt: now }
    this.#current = next
    return [...finished, ...this.#proceed(next, told, header, now)]
  }

  onWakeup(now: Millis): readonly DtmfDigit[] {
    return this.#current !== undefined && now >= this.#current.silentAt ? this.#finish() : []
  }

  deadline(): Millis | undefined {
    return this.#current === undefined || this.#current.told ? undefined : this.#current.silentAt
  }

  #proceed(current: Watched, { duration, end }: TelephoneEvent, header: RtpHeader, now: Millis): readonly DtmfDigit[] {
    if (header.timestamp !== current.timestamp) {
      current.before += LONGEST_DURATION
      current.timestamp = header.timestamp
      current.duration = 0
    }
    current.duration = Math.max(current.duration, duration)
    current.silentAt = now + SILENT_MS
    return end ? this.#finish() : []
  }

  #finish(): readonly DtmfDigit[] {
    const current = this.#current
    if (current === undefined || current.told) return []
    current.told = true
    const digit = digitOf(current.event)
    if (digit === undefined) return []
    return [{ digit, durationMs: Math.round((1_000 * (current.before + current.duration)) / current.clockRateHz) }]
  }
}

function isSame(current: Watched, told: TelephoneEvent, { ssrc, timestamp }: RtpHeader): boolean {
  if (current.ssrc !== ssrc || current.event !== told.event) return false
  if (current.timestamp === timestamp) return true
  return !current.told && (current.timestamp + LONGEST_DURATION) >>> 0 === timestamp
}

/** A late packet of an event before this one. */
function isOld(current: Watched, { ssrc, timestamp }: RtpHeader): boolean {
  return current.ssrc === ssrc && ((timestamp - current.timestamp) | 0) < 0
}

/** Three times the longest usual interval of 50 ms (RFC 4733 §2.5.2.2), and some jitter. */
const SILENT_MS = 200
