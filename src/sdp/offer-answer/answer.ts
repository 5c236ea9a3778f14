import { GatewayError } from '../../base/index.ts'
import type { MediaSection, SessionDescription } from '../model.ts'

/**
 * Whether an answer can belong to an offer: a section for each, of the same kind (RFC 3264 §6). Sections that are
 * missing at the end count as refused: some phones answer only what they know.
 *
 * @throws GatewayError `SDP_ANSWER_MISMATCH`
 */
export function checkAnswer(offer: SessionDescription, answer: SessionDescription): void {
  if (answer.media.length > offer.media.length) {
    throw mismatch(`it has ${answer.media.length} media sections, the offer had ${offer.media.length}`)
  }
  for (const [at, { kind, port }] of answer.media.entries()) {
    const offered = offer.media[at]
    if (port !== 0 && offered?.kind !== kind) throw mismatch(`section ${at + 1} is ${kind}, not ${offered?.kind}`)
    if (port !== 0 && offered?.port === 0) throw mismatch(`section ${at + 1} was offered as refused`)
  }
}

/** The DTLS role that the peer has in what was agreed; `undefined` if there is no DTLS (RFC 8842 §5). */
export function roleOfPeer({ ours, theirs }: Agreed): 'active' | 'passive' | undefined {
  for (const [at, section] of ours.media.entries()) {
    const other = theirs.media[at]
    if (section.setup !== undefined && other !== undefined && section.port !== 0) return peerRole(section, other)
  }
  return undefined
}

interface Agreed {
  readonly ours: SessionDescription
  readonly theirs: SessionDescription
}

/** The answer names the role; an offer mostly says `actpass` (RFC 5763 §5). */
export function peerRole(ours: MediaSection, theirs: MediaSection): 'active' | 'passive' {
  if (theirs.setup === 'active' || theirs.setup === 'passive') return theirs.setup
  return ours.setup === 'active' ? 'passive' : 'active'
}

export function mismatch(why: string): GatewayError {
  return new GatewayError('SDP_ANSWER_MISMATCH', `the SDP answer does not fit: ${why}`)
}
