import { type FaultCode, GatewayError } from '../../base/index.ts'
import { isPeer } from '../address.ts'
import { isPrimary } from '../codec.ts'
import type { MediaSection, SessionDescription } from '../model.ts'
import { permitted } from './codecs.ts'
import type { Dropped, TranslationPolicy } from './model.ts'

/** Why a section of an offer is not relayed, and what to answer if nothing else is left. */
export interface Unusable {
  readonly why: string
  readonly code: FaultCode
}

/** RTP over UDP in all its ways to be written. */
const PROTOCOLS = /^(?:UDP\/TLS\/)?RTP\/S?AVPF?$/i

/**
 * Whether a section can be relayed at all, with `taken`: those of the same offer that are. One stream of each kind,
 * RTP over UDP, to an address and not to a name, with at least one codec; toward a browser all on one port.
 */
export function unusable(
  section: MediaSection,
  offer: SessionDescription,
  policy: TranslationPolicy,
  taken: readonly MediaSection[],
): Unusable | undefined {
  const { kind, protocol, address } = section
  if (section.port === 0) return unsupported('it was offered as refused')
  if (kind !== 'audio' && kind !== 'video') return unsupported('only audio and video are relayed')
  if (kind === 'video' && !policy.video) return unsupported('video is not allowed here')
  if (taken.some((each) => each.kind === kind)) return unsupported(`only one ${kind} stream is relayed`)
  if (!PROTOCOLS.test(protocol)) return unsupported('only RTP over UDP is relayed')
  if (section.ice === undefined && !isPeer(address)) return unsupported('its address is not one of a peer')
  if (!sharesPort(section, offer, taken)) return unsupported('it is not bundled with the media before it')
  if (!section.codecs.some((codec) => isPrimary(codec) && permitted(codec, kind, policy))) {
    return { why: 'it has no codec that we carry', code: 'SDP_NO_COMMON_CODEC' }
  }
  return undefined
}

/** Collects what was left out, and remembers why a call cannot be if nothing remains. */
export class LeftOut {
  readonly dropped: Dropped[] = []
  #first: FaultCode | undefined

  medium(section: MediaSection, { why, code }: Unusable): void {
    if (section.port === 0) return
    this.dropped.push({ what: `medium ${section.kind}`, why })
    // Where audio fails for its codecs alone, that is what the peer can mend.
    if (section.kind === 'audio') this.#first ??= code
  }

  /** @throws GatewayError `SDP_NO_COMMON_CODEC` or `SDP_UNSUPPORTED` if no section is live. */
  requireLive(media: readonly MediaSection[]): void {
    if (media.some((section) => section.port !== 0)) return
    const reasons = this.dropped.map(({ what, why }) => `${what}: ${why}`).join('; ')
    throw new GatewayError(this.#first ?? 'SDP_UNSUPPORTED', `nothing of the offer can be relayed. ${reasons}`)
  }
}

/** With ICE all media goes over one port, which only members of one BUNDLE group may share (RFC 9143 §7.1.1). */
function sharesPort(section: MediaSection, offer: SessionDescription, taken: readonly MediaSection[]): boolean {
  const [first] = taken
  if (first === undefined || section.ice === undefined) return true
  const { mid } = section
  return mid !== undefined && offer.bundle.some((mids) => mids.includes(mid) && mids.includes(first.mid ?? ''))
}

function unsupported(why: string): Unusable {
  return { why, code: 'SDP_UNSUPPORTED' }
}
