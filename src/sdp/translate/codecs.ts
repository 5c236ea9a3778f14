import {
  codecLabel,
  isComfortNoise,
  isPrimary,
  isTelephoneEvent,
  sameCodec,
  sameName,
  staticPayloadType,
} from '../codec.ts'
import { knownFormat } from '../fmtp.ts'
import type { MediaSection, Profile, SdpCodec } from '../model.ts'
import type { Dropped, TranslationPolicy } from './model.ts'

/** Video codecs that can be passed through as they are; the ways to repeat or protect packets are not among them. */
const VIDEO = ['vp8', 'h264', 'vp9', 'av1']

/** A codec offer translated: what stays, and what was left out. */
export interface Chosen {
  readonly codecs: readonly SdpCodec[]
  readonly dropped: readonly Dropped[]
}

/** Whether the gateway lets this codec through at all. Event and noise codecs go with any audio. */
export function permitted(codec: SdpCodec, kind: string, policy: TranslationPolicy): boolean {
  if (kind === 'video') return VIDEO.includes(codec.name.toLowerCase())
  if (isTelephoneEvent(codec)) return codec.clockRateHz === 8_000 || codec.clockRateHz === 48_000
  if (isComfortNoise(codec)) return codec.clockRateHz === 8_000
  const wanted = codecLabel(codec)
  return policy.audioCodecs.some((label) => sameName(label, wanted))
}

interface OfferTo {
  readonly to: Profile
  readonly policy: TranslationPolicy
  /** The codecs this peer knows from before, ours first. */
  readonly before: readonly SdpCodec[]
  /** What each payload type means in the session so far. The ones given now are added. */
  readonly numbers: Map<number, SdpCodec>
  /** RTCP feedback that may be named toward this peer. */
  readonly feedback: readonly string[]
}

/** The codecs of an incoming offer as we offer them to the other leg, with numbers that are legal there. */
export function offerCodecs(section: MediaSection, { to, policy, before, numbers, feedback }: OfferTo): Chosen {
  const dropped: Dropped[] = []
  const kept = section.codecs.filter((codec) => {
    const passes = permitted(codec, section.kind, policy)
    if (!passes) dropped.push({ what: `codec ${codecLabel(codec)}`, why: 'the gateway does not carry it' })
    return passes
  })
  const wanted = section.kind === 'audio' ? withEvents(kept, to, dropped) : kept
  return { codecs: numbered(unique(wanted), before, numbers).map((codec) => dressed(codec, feedback)), dropped }
}

/**
 * The codecs of an offer that the other leg accepted too, with the offerer's numbers, most wanted by the answerer first.
 * Event codecs are matched by name: the engine converts their clock.
 */
export function answerCodecs(
  section: MediaSection,
  accepted: readonly SdpCodec[],
  { to, feedback }: Pick<OfferTo, 'to' | 'feedback'>,
): Chosen {
  const primary: SdpCodec[] = []
  for (const codec of accepted.filter(isPrimary)) {
    const offered = section.codecs.find((each) => sameCodec(each, codec))
    if (offered) primary.push({ ...offered, ...answeredFormat(offered, codec) })
  }
  const noise = accepted.some(isComfortNoise)
    ? section.codecs.filter((each) => isComfortNoise(each) && each.clockRateHz === 8_000)
    : []
  const events = accepted.some(isTelephoneEvent) ? answeredEvents(section, primary, to) : []
  const codecs = unique([...primary, ...noise, ...events])
  const dropped = section.codecs
    .filter((codec) => !codecs.some((each) => each.payloadType === codec.payloadType))
    .map((codec) => ({ what: `codec ${codecLabel(codec)}`, why: 'the other side did not take it' }))
  return { codecs: codecs.map((codec) => dressed(codec, feedback)), dropped }
}

/** What the answerer said of a codec is what it takes; where it said nothing, the offer stands. */
function answeredFormat(offered: SdpCodec, accepted: SdpCodec): { fmtp?: string } {
  const fmtp = accepted.fmtp ?? offered.fmtp
  return fmtp === undefined ? {} : { fmtp }
}

/**
 * telephone-event in an offer. Toward SIP only one clock rate, 8,000 Hz, which every phone knows: two of them make
 * phones choose wrong and lose digits. Toward a browser one for each clock of the audio codecs (RFC 4733 §2.1).
 */
function withEvents(codecs: readonly SdpCodec[], to: Profile, dropped: Dropped[]): readonly SdpCodec[] {
  const events = codecs.filter(isTelephoneEvent)
  const others = codecs.filter((codec) => !isTelephoneEvent(codec))
  const [first] = events
  if (first === undefined) return codecs
  if (to === 'webrtc') {
    const clocks = new Set(others.filter(isPrimary).map((codec) => codec.clockRateHz))
    return [...others, ...[...clocks].map((clock) => eventAt(clock, events))]
  }
  for (const event of events.filter((each) => each.clockRateHz !== 8_000)) {
    dropped.push({
      what: `codec ${codecLabel(event)}`,
      why: 'only one telephone-event clock rate goes to a SIP device',
    })
  }
  return [...others, eventAt(8_000, events)]
}

function eventAt(clockRateHz: number, offered: readonly SdpCodec[]): SdpCodec {
  const same = offered.find((each) => each.clockRateHz === clockRateHz)
  if (same) return same
  const fmtp = offered[0]?.fmtp ?? '0-15'
  return { payloadType: clockRateHz === 8_000 ? 101 : 110, name: 'telephone-event', clockRateHz, fmtp }
}

/** Events of the offer at the clock of the chosen audio; to a SIP device exactly one. */
function answeredEvents(section: MediaSection, chosen: readonly SdpCodec[], to: Profile): readonly SdpCodec[] {
  const events = section.codecs.filter(
    (each) => isTelephoneEvent(each) && (each.clockRateHz === 8_000 || each.clockRateHz === 48_000),
  )
  const clocks = chosen.map((codec) => codec.clockRateHz)
  const fitting = events.filter((each) => clocks.includes(each.clockRateHz))
  const usable = fitting.length > 0 ? fitting : events
  if (to === 'webrtc') return usable
  const narrow = usable.find((each) => each.clockRateHz === clocks[0]) ?? usable[0]
  return narrow === undefined ? [] : [narrow]
}

/** A codec as it may be written: only what is known of its format, and the RTCP feedback that both do. */
function dressed(codec: SdpCodec, feedback: readonly string[]): SdpCodec {
  const { payloadType, name, clockRateHz } = codec
  const dress: Writable<SdpCodec> = { payloadType, name, clockRateHz }
  const channels = sameName(name, 'opus') ? 2 : codec.channels
  const format = knownFormat(name, codec.fmtp)
  if (channels !== undefined) dress.channels = channels
  if (format !== undefined) dress.fmtp = format
  if (feedback.length === 0 || isTelephoneEvent(codec)) return dress
  const named = codec.rtcpFeedback?.filter((each) => feedback.includes(each)) ?? feedback
  if (named.length > 0) dress.rtcpFeedback = named
  return dress
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Payload types: the number a codec had before with this peer, its static one, the one it came with, or a free one.
 * A number once used for another codec of this session is not used again (RFC 3264 §8.3.2).
 */
function numbered(
  codecs: readonly SdpCodec[],
  before: readonly SdpCodec[],
  numbers: Map<number, SdpCodec>,
): readonly SdpCodec[] {
  const usedNow: number[] = []
  const result: SdpCodec[] = []
  for (const codec of codecs) {
    const isFree = (number: number | undefined): number is number => {
      if (number === undefined) return false
      const owner = numbers.get(number)
      if (owner === undefined) return true
      return !usedNow.includes(number) && before.includes(owner) && sameCodec(owner, codec)
    }
    const wanted = [
      before.find((each) => sameCodec(each, codec))?.payloadType,
      staticPayloadType(codec),
      codec.payloadType >= 96 ? codec.payloadType : undefined,
    ]
    const payloadType = wanted.find(isFree) ?? DYNAMIC.find(isFree)
    if (payloadType === undefined) continue
    const given = codec.payloadType === payloadType ? codec : { ...codec, payloadType }
    usedNow.push(payloadType)
    numbers.set(payloadType, given)
    result.push(given)
  }
  return result
}

function unique(codecs: readonly SdpCodec[]): readonly SdpCodec[] {
  return codecs.filter((codec, at) => codecs.findIndex((each) => sameCodec(each, codec)) === at)
}

const DYNAMIC = Array.from({ length: 32 }, (_, i) => 96 + i)
