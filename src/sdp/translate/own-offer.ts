import { GatewayError } from '../../base/index.ts'
import { isTelephoneEvent } from '../codec.ts'
import type { Direction, MediaSection, Profile, SdpCodec, SessionDescription } from '../model.ts'
import { assemble } from '../profile/profile.ts'
import { liveSection, refusedSection } from '../profile/section.ts'
import { permitted } from './codecs.ts'
import type { Before, LocalFacts, SessionIdentity, TranslationPolicy } from './model.ts'
import { offerSecurity } from './offer.ts'

export interface OwnOffer {
  readonly to: Profile
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly identity: SessionIdentity
  /** Default `sendrecv`. */
  readonly direction?: Direction
  /** Audio codecs with their numbers; default all that the policy permits, or those of the session. */
  readonly codecs?: readonly SdpCodec[]
  /** In a session that is up: its sections keep their places, mids and payload types (RFC 3264 §8). */
  readonly before?: Before
}

/**
 * An offer that no other leg's SDP stands behind: one audio section, or in a session the sections it has.
 *
 * @throws GatewayError `INTERNAL`: the engine has no audio stream for it.
 */
export function createOffer(o: OwnOffer): SessionDescription {
  const media = sectionsOf(o)
  if (!media.some((section) => section.port !== 0)) throw new GatewayError('INTERNAL', 'no stream to offer')
  return assemble(media, o.local, o.identity)
}

function sectionsOf(o: OwnOffer): readonly MediaSection[] {
  const earlier = o.before?.ours.media ?? []
  if (earlier.length === 0) return [ownSection(o)].flatMap((section) => section ?? [])
  return earlier.map((section) => (section.port === 0 ? section : (ownSection(o, section) ?? refusedSection(section))))
}

function ownSection(o: OwnOffer, earlier?: MediaSection): MediaSection | undefined {
  const kind = earlier?.kind ?? 'audio'
  const mid = earlier?.mid ?? (o.to === 'webrtc' ? '0' : undefined)
  return liveSection(
    {
      kind,
      codecs: (kind === 'audio' ? o.codecs : undefined) ?? earlier?.codecs ?? ownCodecs(o),
      direction: o.direction ?? 'sendrecv',
      ptimeMs: earlier?.ptimeMs ?? 20,
      ...(mid === undefined ? {} : { mid }),
      ...offerSecurity({ ...o, kind, earlier }),
    },
    o.local,
  )
}

function ownCodecs({ policy, to }: OwnOffer): readonly SdpCodec[] {
  return OUR_CODECS.filter((codec) => permitted(codec, 'audio', policy) && fits(codec, to))
}

/** One telephone-event clock rate toward a SIP device. */
function fits(codec: SdpCodec, to: Profile): boolean {
  return to === 'webrtc' || !isTelephoneEvent(codec) || codec.clockRateHz === 8_000
}

const OUR_CODECS: readonly SdpCodec[] = [
  { payloadType: 111, name: 'opus', clockRateHz: 48_000, channels: 2, fmtp: 'minptime=10;useinbandfec=1' },
  { payloadType: 9, name: 'G722', clockRateHz: 8_000 },
  { payloadType: 0, name: 'PCMU', clockRateHz: 8_000 },
  { payloadType: 8, name: 'PCMA', clockRateHz: 8_000 },
  { payloadType: 13, name: 'CN', clockRateHz: 8_000 },
  { payloadType: 101, name: 'telephone-event', clockRateHz: 8_000, fmtp: '0-15' },
  { payloadType: 110, name: 'telephone-event', clockRateHz: 48_000, fmtp: '0-15' },
]
