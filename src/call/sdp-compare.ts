import { askedDirection, type MediaSection, type SdpCodec, type SessionDescription } from '../sdp/index.ts'

/** Equal but for the `o=` line. */
export function sameContent(a: SessionDescription, b: SessionDescription): boolean {
  return equal({ ...a, origin: undefined }, { ...b, origin: undefined })
}

/**
 * Equal as far as the other leg is concerned: the same media, codecs and directions. Addresses, ports, keys, ICE and
 * DTLS roles belong to one leg alone, so a change of only these is answered without asking the other side.
 */
export function sameForOtherLeg(a: SessionDescription, b: SessionDescription): boolean {
  return equal(a.media.map(shared), b.media.map(shared)) && equal(a.bundle, b.bundle)
}

/** The answer takes less than was offered: a codec of speech is missing, or one direction. */
export function leavesOut(offer: SessionDescription, answer: SessionDescription): boolean {
  return offer.media.some((section, index) => {
    const answered = answer.media[index]
    if (section.kind !== 'audio' || section.port === 0) return false
    if (answered === undefined || answered.direction !== 'sendrecv') return true
    const taken = new Set(answered.codecs.map(codecName))
    return section.codecs.some(
      (codec) => !taken.has(codecName(codec)) && !/^(telephone-event|cn)/.test(codecName(codec)),
    )
  })
}

/** The peer asks for new ICE credentials (RFC 8839 §4.4.1.1.1). */
export function restartsIce(before: SessionDescription, offer: SessionDescription): boolean {
  const credentials = (sdp: SessionDescription) => {
    const ice = sdp.media.find((section) => section.ice !== undefined)?.ice
    return ice && `${ice.ufrag} ${ice.pwd}`
  }
  const now = credentials(offer)
  return now !== undefined && credentials(before) !== undefined && now !== credentials(before)
}

function codecName({ name, clockRateHz }: SdpCodec): string {
  return `${name.toLowerCase()}/${clockRateHz}`
}

function shared(section: MediaSection): unknown {
  const { kind, protocol, codecs, rtcpMux, mid, fingerprints, formats } = section
  return {
    kind,
    protocol,
    codecs: codecs.map(({ rtcpFeedback: _, ...codec }) => codec),
    direction: askedDirection(section),
    rtcpMux,
    mid,
    fingerprints,
    formats,
    refused: section.port === 0,
    encrypted: section.crypto.map(({ suite }) => suite),
  }
}

/** Deep equality of plain data; a property that is `undefined` equals one that is not there. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const name of names) {
    if (!equal((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name])) return false
  }
  return true
}
