import { asGatewayError } from '../base/index.ts'
import {
  answerLocally,
  askedDirection,
  codecLabel,
  createOffer,
  type Direction,
  type Dropped,
  type LocalAnswer,
  type MediaSection,
  negotiated,
  type SessionDescription,
  type SessionIdentity,
  type TranslationPolicy,
  translateAnswer,
  translateOffer,
} from '../sdp/index.ts'
import type { Leg, LegSdp } from './leg-state.ts'
import { changeMedia, localFacts } from './media-plan.ts'
import type { LegId } from './model.ts'
import { sameContent } from './sdp-compare.ts'
import type { Turn } from './turn.ts'
import { agreedCodec } from './view.ts'

/** Codecs a tone is made in, and no other. */
const TONE_CODECS = ['PCMU/8000', 'PCMA/8000']

/**
 * The offer for a leg, made out of one that came in on another leg.
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC`, `SDP_UNSUPPORTED`: nothing was changed.
 */
export function offerTo(turn: Turn, id: LegId, offer: SessionDescription): SessionDescription {
  const leg = turn.leg(id)
  const made = translateOffer({
    offer,
    to: leg.profile,
    local: localFacts(turn, id),
    policy: policyFor(turn, leg),
    identity: nextIdentity(leg.sdp),
    ...agreedBefore(leg),
  })
  noteDropped(turn, id, made.dropped)
  return stamp(turn, id, made.description)
}

/** An offer of our own, for a leg whose peer wants one. */
export function ownOfferTo(turn: Turn, id: LegId): SessionDescription {
  const leg = turn.leg(id)
  const made = createOffer({
    to: leg.profile,
    local: localFacts(turn, id),
    policy: policyFor(turn, leg),
    identity: nextIdentity(leg.sdp),
    ...agreedBefore(leg),
  })
  return stamp(turn, id, made)
}

/**
 * The answer to `offer` of leg `id`, made out of what the other leg answered to our `offered`. Agreed with it.
 *
 * @throws GatewayError `SDP_ANSWER_MISMATCH`, `SDP_NO_COMMON_CODEC`: nothing was changed.
 */
export function answerTo(turn: Turn, id: LegId, parts: Exchange): SessionDescription {
  const ours = makeAnswer(turn, id, parts)
  agree(turn, id, ours, parts.offer, 'peer')
  return ours
}

/** The same for an early dialog that the leg does not show for long: the engine is not told. */
export function answerAside(turn: Turn, id: LegId, parts: Exchange): SessionDescription {
  const ours = makeAnswer(turn, id, parts)
  turn.updateLeg(id, { sdp: { ...turn.leg(id).sdp, ours, theirs: parts.offer } })
  return ours
}

interface Exchange {
  readonly offer: SessionDescription
  readonly offered: SessionDescription
  readonly answer: SessionDescription
}

function makeAnswer(turn: Turn, id: LegId, parts: Exchange): SessionDescription {
  const leg = turn.leg(id)
  const made = translateAnswer({
    ...parts,
    local: localFacts(turn, id),
    policy: policyFor(turn, leg),
    identity: nextIdentity(leg.sdp),
    ...agreedBefore(leg),
  })
  noteDropped(turn, id, made.dropped)
  return stamp(turn, id, made.description)
}

/** The answer to a leg that talks to us alone. Agreed with it. @throws GatewayError as `answerTo`. */
export function answerHere(turn: Turn, id: LegId, offer: SessionDescription): SessionDescription {
  return answerWith(turn, id, offer, { policy: policyFor(turn, turn.leg(id)), willing: 'sendrecv' })
}

/**
 * The answer to an offer that changes nothing for the other leg: what was agreed stays agreed.
 *
 * @throws GatewayError as `answerTo`.
 */
export function answerAgain(turn: Turn, id: LegId, offer: SessionDescription): SessionDescription {
  const { ours = { media: [] } } = turn.leg(id).sdp
  return answerWithin(turn, id, offer, { of: ours, willing: ours.media[0]?.direction ?? 'sendrecv' })
}

/** The answer to a leg with codecs and media of another description and no others. @throws GatewayError as `answerTo`. */
export function answerWithin(
  turn: Turn,
  id: LegId,
  offer: SessionDescription,
  { of: { media }, willing }: { readonly of: Pick<SessionDescription, 'media'>; readonly willing: Direction },
): SessionDescription {
  const codecs = media.filter(({ kind }) => kind === 'audio').flatMap((section) => section.codecs)
  const policy = policyFor(turn, turn.leg(id))
  const labels = new Set(codecs.map((codec) => codecLabel(codec).toLowerCase()))
  return answerWith(turn, id, offer, {
    policy: {
      ...policy,
      audioCodecs: policy.audioCodecs.filter((label) => labels.has(label.toLowerCase())),
      video: policy.video && media.some(({ kind, port }) => kind === 'video' && port !== 0),
    },
    willing,
  })
}

/**
 * The answer to one who comes into a call, in the codecs of leg `like` if there is one in common: then that leg has to
 * be asked nothing. Agreed with it.
 *
 * @throws GatewayError as `answerTo`.
 */
export function answerLike(turn: Turn, id: LegId, offer: SessionDescription, like: LegId): SessionDescription {
  const policy = policyFor(turn, turn.leg(id))
  const spoken = turn.leg(like).sdp.theirs?.media.flatMap(({ codecs }) => codecs) ?? []
  const names = new Set(spoken.map(({ name, clockRateHz }) => `${name}/${clockRateHz}`.toLowerCase()))
  const audioCodecs = policy.audioCodecs.filter((codec) => names.has(codec.toLowerCase()) || EVENTS.test(codec))
  try {
    return answerWith(turn, id, offer, { policy: { ...policy, audioCodecs }, willing: 'sendrecv' })
  } catch (thrown) {
    if (asGatewayError(thrown).code !== 'SDP_NO_COMMON_CODEC') throw thrown
    return answerWith(turn, id, offer, { policy, willing: 'sendrecv' })
  }
}

/** Not speech. */
const EVENTS = /^(telephone-event|CN)\//i

function answerWith(
  turn: Turn,
  id: LegId,
  offer: SessionDescription,
  how: Pick<LocalAnswer, 'policy' | 'willing'>,
): SessionDescription {
  const leg = turn.leg(id)
  const made = answerLocally({
    offer,
    local: localFacts(turn, id),
    identity: nextIdentity(leg.sdp),
    ...how,
    ...agreedBefore(leg),
  })
  noteDropped(turn, id, made.dropped)
  const ours = stamp(turn, id, made.description)
  agree(turn, id, ours, offer, 'peer')
  return ours
}

/** Offer and answer of a leg are both known: tells the engine. @throws GatewayError `SDP_ANSWER_MISMATCH`. */
export function agree(
  turn: Turn,
  id: LegId,
  ours: SessionDescription,
  theirs: SessionDescription,
  offerer: 'us' | 'peer' = 'us',
): void {
  const remote = negotiated({ ours, theirs, local: localFacts(turn, id) })
  const leg = turn.leg(id)
  // Who is offered silence can only take it: that says nothing of its own wish.
  const tells = offerer === 'peer' || sendsAudio(ours)
  const holdsNow = tells ? holds(theirs) : leg.holds
  turn.updateLeg(id, { sdp: { ...leg.sdp, ours, theirs, awaitsAnswer: undefined }, holds: holdsNow })
  const codec = agreedCodec(turn.leg(id))
  if (codec !== undefined && codec !== agreedCodec(leg)) {
    turn.note('sdp', `Agreed on ${codec}`, { leg: id, facts: { codec } })
  }
  if (holdsNow !== leg.holds)
    turn.note('media', leg.holds ? 'Resumed by the peer' : 'Put on hold by the peer', { leg: id })
  changeMedia(turn, { kind: 'remote', side: id, remote })
}

/** What the leg's SDP may carry. */
export function policyFor(turn: Turn, leg: Leg): TranslationPolicy {
  const policy = turn.deps.config.sdp[leg.party.kind === 'trunk' ? 'trunk' : 'user']
  const srtp = leg.destination?.srtp ?? policy.srtp
  if (turn.call.builtin === 'tone') return { ...policy, srtp, audioCodecs: TONE_CODECS, video: false }
  return { ...policy, srtp, ...(turn.call.builtin === 'echo' && { video: false }) }
}

/** The peer sends and does not want to hear, or neither (RFC 3264 §8.4; `0.0.0.0` as of RFC 2543). */
export function holds(theirs: SessionDescription): boolean {
  const audio = liveAudio(theirs)
  if (audio === undefined) return false
  const direction = askedDirection(audio)
  return direction === 'sendonly' || direction === 'inactive'
}

function sendsAudio(ours: SessionDescription): boolean {
  const direction = liveAudio(ours)?.direction
  return direction === 'sendrecv' || direction === 'sendonly'
}

function liveAudio({ media }: SessionDescription): MediaSection | undefined {
  return media.find((section) => section.kind === 'audio' && section.port !== 0)
}

/** The SDP with the version it has to have: one more than the last only if it differs from it (RFC 3264 §8). */
function stamp(turn: Turn, id: LegId, made: SessionDescription): SessionDescription {
  const { sdp } = turn.leg(id)
  if (sdp.sent !== undefined && sameContent(sdp.sent, made)) return sdp.sent
  const version = sdp.version + 1
  const sent = { ...made, origin: { ...made.origin, version: String(version) } }
  turn.updateLeg(id, { sdp: { ...sdp, version, sent } })
  return sent
}

function nextIdentity(sdp: LegSdp): SessionIdentity {
  return { sessionId: sdp.sessionId, version: sdp.version + 1 }
}

function agreedBefore(leg: Leg): { before?: { ours: SessionDescription; theirs: SessionDescription } } {
  const { ours, theirs } = leg.sdp
  return ours === undefined || theirs === undefined ? {} : { before: { ours, theirs } }
}

function noteDropped(turn: Turn, leg: LegId, dropped: readonly Dropped[]): void {
  for (const { what, why } of dropped) turn.note('sdp', `Left out ${what}: ${why}`, { leg, facts: { what, why } })
}
