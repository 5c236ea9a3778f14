import { fmtpParameter } from './fmtp.ts'
import type { SdpCodec } from './model.ts'

/** Static payload types (RFC 3551 §6) of the codecs that peers name without an `rtpmap`. */
const STATIC: Readonly<Record<number, Pick<SdpCodec, 'name' | 'clockRateHz' | 'channels'>>> = {
  0: { name: 'PCMU', clockRateHz: 8_000 },
  3: { name: 'GSM', clockRateHz: 8_000 },
  4: { name: 'G723', clockRateHz: 8_000 },
  8: { name: 'PCMA', clockRateHz: 8_000 },
  9: { name: 'G722', clockRateHz: 8_000 },
  13: { name: 'CN', clockRateHz: 8_000 },
  15: { name: 'G728', clockRateHz: 8_000 },
  18: { name: 'G729', clockRateHz: 8_000 },
  31: { name: 'H261', clockRateHz: 90_000 },
  34: { name: 'H263', clockRateHz: 90_000 },
}

/** What a static payload type means; `undefined` for dynamic and unassigned ones. */
export function staticCodec(payloadType: number): SdpCodec | undefined {
  const found = STATIC[payloadType]
  return found && { payloadType, ...found }
}

/** The payload type a codec always has, if it has one. */
export function staticPayloadType(codec: SdpCodec): number | undefined {
  if (channelsOf(codec) !== 1) return undefined
  return STATIC_NUMBERS.find(
    ([, known]) => known.clockRateHz === codec.clockRateHz && sameName(known.name, codec.name),
  )?.[0]
}

const STATIC_NUMBERS = Object.entries(STATIC).map(([number, known]) => [Number(number), known] as const)

/** A codec as the media engine knows it: what RTCP may say about it is agreed elsewhere. */
export function withoutFeedback(codec: SdpCodec): Omit<SdpCodec, 'rtcpFeedback'> {
  if (codec.rtcpFeedback === undefined) return codec
  const { rtcpFeedback: _, ...plain } = codec
  return plain
}

/** `opus/48000`: how policies and people name a codec. */
export function codecLabel(codec: SdpCodec): string {
  return `${codec.name}/${codec.clockRateHz}`
}

export function isTelephoneEvent(codec: SdpCodec): boolean {
  return sameName(codec.name, 'telephone-event')
}

export function isComfortNoise(codec: SdpCodec): boolean {
  return sameName(codec.name, 'CN')
}

/** Carries speech or pictures itself, so that a stream with this one alone makes sense. */
export function isPrimary(codec: SdpCodec): boolean {
  return !isTelephoneEvent(codec) && !isComfortNoise(codec)
}

/** Same encoding, whatever the number; for H.264 also the same profile and packetization (RFC 6184 §8.2.2). */
export function sameCodec(a: SdpCodec, b: SdpCodec): boolean {
  if (!sameName(a.name, b.name) || a.clockRateHz !== b.clockRateHz) return false
  // Opus is always written with two channels (RFC 7587 §7); some peers leave them out and mean the same.
  if (channelsOf(a) !== channelsOf(b) && !sameName(a.name, 'opus')) return false
  return !sameName(a.name, 'H264') || h264Key(a) === h264Key(b)
}

function channelsOf(codec: SdpCodec): number {
  return codec.channels ?? 1
}

/** Names of codecs are compared without case. */
export function sameName(a: string, b: string): boolean {
  return a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase())
}

/** Profile and constraint bytes, and the packetization mode; the level may differ. */
function h264Key(codec: SdpCodec): string {
  const profile = fmtpParameter(codec.fmtp, 'profile-level-id')?.slice(0, 4).toLowerCase() ?? '4200'
  return `${profile}/${fmtpParameter(codec.fmtp, 'packetization-mode') ?? '0'}`
}
