import { GatewayError, LIMITS, type Millis } from '../../../base/index.ts'
import type { PayloadCodec, RemoteMedium } from '../../model.ts'
import { isTelephoneEvent, midOf } from './routes.ts'
import { buildTelephoneEvent, eventOf, type Route, type RtpSender } from './rtp/index.ts'

/** Digits as a session change says them. */
export interface Digits {
  readonly digits: string
  readonly durationMs?: number
  readonly gapMs?: number
}

interface WaitingDigit {
  readonly event: number
  readonly durationMs: number
  readonly gapMs: number
}

interface CurrentDigit extends WaitingDigit {
  readonly beganAt: Millis
  /** RTP timestamp of all its packets (RFC 4733 §2.5.1.2). */
  readonly timestamp: number
  readonly codec: PayloadCodec
  readonly route: Route
}

/** Makes the telephone-events of digits in real time: an update every 20 ms, the end three times. */
export class DigitSource {
  readonly #waiting: WaitingDigit[] = []
  #current: CurrentDigit | undefined
  /** The gap after the last digit is over. */
  #freeAt: Millis = Number.NEGATIVE_INFINITY

  get isEmpty(): boolean {
    return this.#current === undefined && this.#waiting.length === 0
  }

  /** @throws GatewayError `MEDIA_SPEC_INVALID`: too many wait already; then none of these does. */
  add({ digits, durationMs = 100, gapMs = 60 }: Digits): void {
    if (this.#waiting.length + digits.length > LIMITS.mediaDigitsQueued) {
      throw new GatewayError('MEDIA_SPEC_INVALID', `${LIMITS.mediaDigitsQueued} digits wait to be sent already`)
    }
    for (const digit of digits) {
      const event = eventOf(digit)
      if (event !== undefined) this.#waiting.push({ event, durationMs, gapMs })
    }
  }

  /** The way to the peer is not there, or it takes no events. */
  clear(): void {
    this.#waiting.length = 0
    this.#current = undefined
  }

  /** The packets that are due. Called every 20 ms. */
  packets(remote: RemoteMedium, sender: RtpSender, now: Millis): readonly Buffer[] {
    const begins = this.#current === undefined
    const current = this.#current ?? this.#begin(remote, sender, now)
    if (current === undefined) return []
    const elapsedMs = now - current.beganAt + UPDATE_MS
    if (elapsedMs < current.durationMs) return [packetOf(current, elapsedMs, { begins, end: false }, sender)]
    this.#current = undefined
    this.#freeAt = now + current.gapMs
    const last = () => packetOf(current, current.durationMs, { begins: false, end: true }, sender)
    return [last(), last(), last()] // RFC 4733 §2.5.1.4.
  }

  #begin(remote: RemoteMedium, sender: RtpSender, now: Millis): CurrentDigit | undefined {
    if (now < this.#freeAt) return undefined
    const audio = remote.sendCodecs.find((codec) => !isTelephoneEvent(codec))
    const audioHz = sender.clockRateHz ?? audio?.clockRateHz
    const events = remote.sendCodecs.filter(isTelephoneEvent)
    const codec = events.find(({ clockRateHz }) => clockRateHz === audioHz) ?? events[0]
    if (codec === undefined) {
      this.clear()
      return undefined
    }
    const digit = this.#waiting.shift()
    if (digit === undefined) return undefined
    const clockRateHz = audioHz ?? codec.clockRateHz
    const route: Route = { payloadType: codec.payloadType, clockRateHz, ...midOf(remote) }
    this.#current = { ...digit, beganAt: now, timestamp: sender.eventStart(clockRateHz, now), codec, route }
    return this.#current
  }
}

function packetOf(
  { event, codec, route, timestamp }: CurrentDigit,
  durationMs: number,
  { begins, end }: { readonly begins: boolean; readonly end: boolean },
  sender: RtpSender,
): Buffer {
  const duration = Math.round((durationMs * codec.clockRateHz) / 1_000)
  const payload = buildTelephoneEvent({ event, end, volume: VOLUME_DBM0, duration })
  return sender.insert(payload, timestamp, begins, route)
}

const UPDATE_MS = 20
/** The sign is left out (RFC 4733 §2.3). */
const VOLUME_DBM0 = 10
