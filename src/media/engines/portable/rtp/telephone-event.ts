/** The payload of a telephone-event (RFC 4733 §2.3). */
export interface TelephoneEvent {
  readonly event: number
  readonly end: boolean
  /** In dBm0 without the sign. */
  readonly volume: number
  /** Since the start of the event, in ticks of the event's clock. */
  readonly duration: number
}

export const EVENT_BYTES = 4
/** The longest duration a packet can say; a longer event is told in segments (§2.5.1.3). */
export const LONGEST_DURATION = 0xffff

/** `undefined`: too short. What follows the first event is not looked at. */
export function readTelephoneEvent(payload: Buffer): TelephoneEvent | undefined {
  if (payload.length < EVENT_BYTES) return undefined
  const second = payload.readUInt8(1)
  return {
    event: payload.readUInt8(0),
    end: second >= 0x80,
    volume: second & 0x3f,
    duration: payload.readUInt16BE(2),
  }
}

export function buildTelephoneEvent({ event, end, volume, duration }: TelephoneEvent): Buffer {
  return Buffer.from([event, (end ? 0x80 : 0) | volume, duration >> 8, duration & 0xff])
}

/** The digit of an event code; `undefined`: not DTMF. */
export function digitOf(event: number): string | undefined {
  return DIGITS[event]
}

/** The event code of a digit; `undefined`: not DTMF. */
export function eventOf(digit: string): number | undefined {
  const at = digit.length === 1 ? DIGITS.indexOf(digit) : -1
  return at < 0 ? undefined : at
}

const DIGITS = '0123456789*#ABCD'
