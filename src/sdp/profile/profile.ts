import type { MediaSection, Profile, SessionDescription } from '../model.ts'
import type { LocalFacts, SessionIdentity } from '../translate/model.ts'

/** A browser's SDP has ICE credentials and a DTLS fingerprint in a live section; everything else is a SIP device's. */
export function profileOf(description: SessionDescription): Profile {
  const webrtc = description.media.some(
    (section) => section.ice !== undefined && section.fingerprints.length > 0 && /SAVP/i.test(section.protocol),
  )
  return webrtc ? 'webrtc' : 'rtp'
}

/**
 * Sections put together with our `o=` and, toward a browser, the BUNDLE group of the live ones (RFC 9143 §7.3). An
 * answer has only groups that were offered.
 */
export function assemble(
  media: readonly MediaSection[],
  local: LocalFacts,
  identity: SessionIdentity,
  offer?: SessionDescription,
): SessionDescription {
  const live = media.filter((section) => section.port !== 0)
  const bundled = offer && new Set(offer.bundle.flat())
  const mids = live.flatMap((section) => section.mid ?? []).filter((mid) => bundled?.has(mid) ?? true)
  return {
    origin: {
      username: '-',
      sessionId: identity.sessionId,
      version: String(identity.version),
      address: live[0]?.address ?? '127.0.0.1',
    },
    name: '-',
    bundle: local.kind === 'webrtc' && mids.length > 0 ? [mids] : [],
    media,
  }
}
