import type { SdpExtension } from '../model.ts'
import type { LocalFacts } from '../translate/model.ts'

/** The header extension that tells which section a packet belongs to (RFC 9143 §15.2). */
export const MID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:mid'
/** Numbers packets of all sections together, so that the sender can estimate the path (transport-wide-cc-extensions-01). */
export const TRANSPORT_CC_EXTENSION = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

/**
 * RTCP feedback that a section toward a browser may name (RFC 4585 §4.2). Requests for a whole picture (RFC 5104) are
 * passed on by every engine; what else is answered, the engine says.
 */
export function feedbackToward(kind: string, local: LocalFacts): readonly string[] {
  if (local.kind !== 'webrtc') return []
  const answered = local.feedback ?? []
  const transport = answered.filter((each) => each === 'transport-cc')
  if (kind !== 'video') return transport
  return [...answered.filter((each) => each === 'nack'), 'nack pli', 'ccm fir', ...transport]
}

/** Header extensions of an offer of ours; once agreed, a number stays (RFC 8285 §5). */
export function offeredExtensions(
  local: LocalFacts,
  agreed: readonly SdpExtension[] | undefined,
): readonly SdpExtension[] {
  const known = knownExtensions(local)
  if (agreed !== undefined && agreed.length > 0) return taken(agreed, known)
  return known.map((uri, index) => ({ id: index + 1, uri }))
}

/** Those of an offer that we do, with its numbers. */
export function answeredExtensions(local: LocalFacts, offered: readonly SdpExtension[]): readonly SdpExtension[] {
  return taken(offered, knownExtensions(local))
}

function knownExtensions(local: LocalFacts): readonly string[] {
  const transport = local.kind === 'webrtc' && local.feedback?.includes('transport-cc') === true
  return transport ? [MID_EXTENSION, TRANSPORT_CC_EXTENSION] : [MID_EXTENSION]
}

function taken(extensions: readonly SdpExtension[], known: readonly string[]): readonly SdpExtension[] {
  return extensions.filter(({ uri }) => known.includes(uri)).map(({ id, uri }) => ({ id, uri }))
}
