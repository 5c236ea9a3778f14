import type { Millis } from '../../../../base/index.ts'

/** A time as in sender reports (RFC 3550 §4): seconds and their fraction, 32 bits each. */
export interface NtpTime {
  readonly seconds: number
  readonly fraction: number
}

/** Any clock will do for NTP times as long as it is one clock; ours begins where `now` does. */
export function ntpOf(now: Millis): NtpTime {
  return later({ seconds: 0, fraction: 0 }, now)
}

export function later({ seconds, fraction }: NtpTime, ms: number): NtpTime {
  const sum = fraction + Math.round((ms / 1_000) * FRACTIONS)
  return {
    seconds: (seconds + Math.floor(sum / FRACTIONS)) >>> 0,
    fraction: ((sum % FRACTIONS) + FRACTIONS) % FRACTIONS,
  }
}

/** The middle 32 bits: what a report block says of a sender report. */
export function middleOf({ seconds, fraction }: NtpTime): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0
}

const FRACTIONS = 0x1_0000_0000
