import type { Direction, Profile, SdpCodec, SessionDescription } from '../model.ts'
import { assemble } from '../profile/profile.ts'
import { liveSection } from '../profile/section.ts'
import { permitted } from './codecs.ts'
import type { LocalFacts, SessionIdentity, TranslationPolicy } from './model.ts'
import { offerSecurity } from './offer.ts'

export interface OwnOffer {
  readonly to: Profile
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly identity: SessionIdentity
  /** Default `sendrecv`. */
  readonly direction?: Direction
  /** Audio codecs with their numbers; default all that the policy permits. */
  readonly codecs?: readonly SdpCodec[]
}

/** An offer that no other leg's SDP stands behind: one audio section. */
export function createOffer(o: OwnOffer): SessionDescription {
  const codecs = o.codecs ?? OUR_CODECS.filter((codec) => permitted(codec, 'audio', o.policy) && fits(codec, o.to))
  const section = liveSection(
    {
      kind: 'audio',
      codecs,
      direction: o.direction ?? 'sendrecv',
      ptimeMs: 20,
      ...(o.to === 'webrtc' ? { mid: '0' } : {}),
      ...offerSecurity(o.to, o.local, o.policy, 'audio'),
    },
    o.local,
  )
  return assemble(section === undefined ? [] : [section], o.local, o.identity)
}

/** One telephone-event clock rate toward a SIP device. */
function fits(codec: SdpCodec, to: Profile): boolean {
  return to === 'webrtc' || codec.name !== 'telephone-event' || codec.clockRateHz === 8_000
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
