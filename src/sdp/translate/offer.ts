import { GatewayError } from '../../base/index.ts'
import { isPrimary } from '../codec.ts'
import type { MediaSection, Profile, SdpCrypto, SdpExtension } from '../model.ts'
import { askedDirection } from '../offer-answer/direction.ts'
import { assemble } from '../profile/profile.ts'
import { liveSection, MID_EXTENSION, refusedSection, type SectionPlan } from '../profile/section.ts'
import { offerCodecs } from './codecs.ts'
import type { Dropped, LocalFacts, OfferTranslation, Translation, TranslationPolicy } from './model.ts'

/**
 * The offer for the other leg, made out of the one that came in. Of each kind of media the first usable section goes on.
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC`: there is no section with a codec that may go on.
 */
export function translateOffer(t: OfferTranslation): Translation {
  const dropped: Dropped[] = []
  const chosen = usableSections(t.offer.media, t.policy, dropped)
  const earlier = t.before?.ours.media ?? []
  const media: MediaSection[] = []
  for (const section of earlier) {
    const again = chosen.find((each) => each.kind === section.kind)
    if (again) chosen.splice(chosen.indexOf(again), 1)
    media.push((again && offered(t, again, section, dropped)) ?? refusedSection(section))
  }
  for (const section of chosen) {
    const made = offered(t, section, undefined, dropped, media.length)
    if (made) media.push(made)
  }
  if (!media.some((section) => section.port !== 0)) {
    throw new GatewayError('SDP_NO_COMMON_CODEC', 'the offer has no audio or video codec that we carry')
  }
  return { description: assemble(media, t.local, t.identity), dropped }
}

function usableSections(media: readonly MediaSection[], policy: TranslationPolicy, dropped: Dropped[]): MediaSection[] {
  const chosen: MediaSection[] = []
  for (const section of media) {
    const why = unusable(section, policy, chosen)
    if (why === undefined) chosen.push(section)
    else if (section.port !== 0) dropped.push({ what: `medium ${section.kind}`, why })
  }
  return chosen
}

function unusable(
  section: MediaSection,
  policy: TranslationPolicy,
  chosen: readonly MediaSection[],
): string | undefined {
  if (section.port === 0) return 'it was offered as refused'
  if (section.kind !== 'audio' && section.kind !== 'video') return 'only audio and video are relayed'
  if (section.kind === 'video' && !policy.video) return 'video is not allowed here'
  if (chosen.some((each) => each.kind === section.kind)) return `only one ${section.kind} stream is relayed`
  return undefined
}

function offered(
  t: OfferTranslation,
  section: MediaSection,
  earlier: MediaSection | undefined,
  dropped: Dropped[],
  position = 0,
): MediaSection | undefined {
  const before = [...(earlier?.codecs ?? []), ...sameKind(t.before?.theirs.media, section.kind)]
  const chosen = offerCodecs(section, t.to, t.policy, before)
  dropped.push(...chosen.dropped)
  if (!chosen.codecs.some(isPrimary)) return undefined
  const mid = earlier?.mid ?? (t.to === 'webrtc' ? (section.mid ?? String(position)) : undefined)
  return liveSection(
    {
      kind: section.kind,
      codecs: chosen.codecs,
      direction: askedDirection(section),
      ...(section.ptimeMs === undefined ? {} : { ptimeMs: section.ptimeMs }),
      ...(mid === undefined ? {} : { mid }),
      ...offerSecurity(t.to, t.local, t.policy, section.kind),
    },
    t.local,
  )
}

function sameKind(media: readonly MediaSection[] | undefined, kind: string) {
  return media?.find((each) => each.kind === kind)?.codecs ?? []
}

/** How media is protected in an offer of ours, by kind of peer. */
export function offerSecurity(
  to: Profile,
  local: LocalFacts,
  policy: TranslationPolicy,
  kind: string,
): Pick<SectionPlan, 'protocol' | 'setup' | 'extensions' | 'crypto'> {
  if (to === 'webrtc') {
    return { protocol: 'UDP/TLS/RTP/SAVPF', setup: 'actpass', extensions: MID_ONLY }
  }
  if (policy.srtp !== 'offer' || local.kind !== 'rtp') return { protocol: 'RTP/AVP' }
  const crypto: readonly SdpCrypto[] = local.media.find((each) => each.kind === kind)?.crypto ?? []
  return { protocol: 'RTP/SAVP', crypto }
}

const MID_ONLY: readonly SdpExtension[] = [{ id: 1, uri: MID_EXTENSION }]
