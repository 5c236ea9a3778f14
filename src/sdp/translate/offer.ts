import { isPrimary } from '../codec.ts'
import type { MediaSection, Profile, SdpCodec, SdpCrypto } from '../model.ts'
import { askedDirection } from '../offer-answer/direction.ts'
import { feedbackToward, offeredExtensions } from '../profile/feedback.ts'
import { assemble } from '../profile/profile.ts'
import { liveSection, refusedSection, type SectionPlan } from '../profile/section.ts'
import { offerCodecs } from './codecs.ts'
import type { Before, LocalFacts, OfferTranslation, Translation, TranslationPolicy } from './model.ts'
import { LeftOut, unusable } from './usable.ts'

/**
 * The offer for the other leg, made out of the one that came in. Of each kind of media the first usable section goes
 * on. In a renegotiation every section of the session keeps its place (RFC 3264 §8).
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC`: the audio has no codec that may go on.
 * @throws GatewayError `SDP_UNSUPPORTED`: there is no audio or video that we can relay for another reason.
 */
export function translateOffer(t: OfferTranslation): Translation {
  const left = new LeftOut()
  const chosen = usableSections(t, left)
  const media: MediaSection[] = []
  const numbers = reserved(t)
  for (const earlier of t.before?.ours.media ?? []) {
    const again = chosen.find((each) => each.kind === earlier.kind)
    if (again) chosen.splice(chosen.indexOf(again), 1)
    media.push((again && offered(t, again, { earlier, numbers, left })) ?? refusedSection(earlier))
  }
  for (const section of chosen) {
    const made = offered(t, section, { mid: freeMid(section, media), numbers, left })
    if (made) media.push(made)
  }
  left.requireLive(media)
  return { description: assemble(media, t.local, t.identity), dropped: left.dropped }
}

function usableSections(t: OfferTranslation, left: LeftOut): MediaSection[] {
  const chosen: MediaSection[] = []
  for (const section of t.offer.media) {
    const reason = unusable(section, t.offer, t.policy, chosen)
    if (reason === undefined) chosen.push(section)
    else left.medium(section, reason)
  }
  return chosen
}

interface Place {
  /** The section at this place in our last SDP to this peer. */
  readonly earlier?: MediaSection
  readonly mid?: string
  /** Payload types in use, by number; toward a browser by all sections together (RFC 9143 §10.1.2). */
  readonly numbers: Map<number, SdpCodec>
  readonly left: LeftOut
}

function offered(t: OfferTranslation, section: MediaSection, place: Place): MediaSection | undefined {
  const { earlier, left } = place
  const before = [...(earlier?.codecs ?? []), ...theirCodecs(t.before, section.kind)]
  const numbers = t.to === 'webrtc' ? place.numbers : new Map(before.map((codec) => [codec.payloadType, codec]))
  const feedback = feedbackToward(section.kind, t.local)
  const chosen = offerCodecs(section, { to: t.to, policy: t.policy, before, numbers, feedback })
  left.dropped.push(...chosen.dropped)
  if (!chosen.codecs.some(isPrimary)) return undefined
  const mid = earlier?.mid ?? (t.to === 'webrtc' ? place.mid : undefined)
  return liveSection(
    {
      kind: section.kind,
      codecs: chosen.codecs,
      direction: askedDirection(section),
      ...(section.ptimeMs === undefined ? {} : { ptimeMs: section.ptimeMs }),
      ...(mid === undefined ? {} : { mid }),
      ...offerSecurity({ ...t, kind: section.kind, earlier }),
    },
    t.local,
  )
}

/** Numbers that have a meaning in this session already, in all its sections. */
function reserved({ before }: OfferTranslation): Map<number, SdpCodec> {
  const media = [...(before?.theirs.media ?? []), ...(before?.ours.media ?? [])]
  return new Map(media.flatMap(({ codecs }) => codecs).map((codec) => [codec.payloadType, codec]))
}

function theirCodecs(before: Before | undefined, kind: string): readonly SdpCodec[] {
  return before?.theirs.media.find((each) => each.kind === kind)?.codecs ?? []
}

/** The mid that the section came with, or its place, unless another section has it. */
function freeMid(section: MediaSection, media: readonly MediaSection[]): string {
  const candidates = [section.mid, ...Array.from({ length: media.length + 1 }, (_, i) => String(media.length + i))]
  const free = candidates.find((mid) => mid !== undefined && !media.some((each) => each.mid === mid))
  return free ?? String(media.length)
}

interface Secured {
  readonly to: Profile
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly kind: string
  readonly earlier?: MediaSection | undefined
}

/** How media is protected in an offer of ours, by kind of peer. */
export function offerSecurity(s: Secured): Pick<SectionPlan, 'protocol' | 'setup' | 'extensions' | 'crypto'> {
  if (s.to === 'webrtc') {
    return {
      protocol: 'UDP/TLS/RTP/SAVPF',
      setup: 'actpass',
      extensions: offeredExtensions(s.local, s.earlier?.extensions),
    }
  }
  const isSecure = s.earlier === undefined ? s.policy.srtp === 'offer' : s.earlier.crypto.length > 0
  if (!isSecure || s.local.kind !== 'rtp') return { protocol: 'RTP/AVP' }
  const crypto: readonly SdpCrypto[] = s.local.media.find((each) => each.kind === s.kind)?.crypto ?? []
  return { protocol: 'RTP/SAVP', crypto }
}
