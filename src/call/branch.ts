import { asGatewayError, LIMITS } from '../base/index.ts'
import type { MediumKind } from '../media/index.ts'
import type { SessionDescription } from '../sdp/index.ts'
import { ALLOW_IN_CALL, createRequest, type HeaderField, SUPPORTED_IN_CALL } from '../sip/index.ts'
import { type CallerIdentity, identityHeaders } from './identity.ts'
import { createLeg, type Leg } from './leg-state.ts'
import { targetText } from './locating.ts'
import { addressOf, changeMedia, mediaAddressOf, mediaKinds, openMedia, sideSpec } from './media-plan.ts'
import type { Destination, LegId } from './model.ts'
import { contactOf, sdpBody } from './replies.ts'
import { send } from './requests.ts'
import { offerTo, ownOfferTo } from './sdp-exchange.ts'
import { askedSession } from './session-timer.ts'
import type { Turn } from './turn.ts'
import { partyName } from './view.ts'

/** See `CallConfig.silenceMs`: time for an INVITE and three repetitions (RFC 3261 §17.1.1.2, timer A). */
const SILENCE_MS = 6_000

/** Makes the legs of the next group. They wait until the engine made their sides. */
export function nextGroup(turn: Turn): readonly Leg[] {
  const [group, ...groups] = turn.call.groups
  if (group === undefined) return []
  turn.update({ groups })
  return branchesFor(turn, group.slice(0, LIMITS.branchesPerCall))
}

/** Makes legs for these places. They wait until the engine made their sides. */
export function branchesFor(turn: Turn, destinations: readonly Destination[]): readonly Leg[] {
  return destinations.map((destination) => newBranch(turn, destination))
}

/** What the engine has to make for a called leg. */
export function branchSide(turn: Turn, leg: Leg) {
  return sideSpec(leg, kindsAsked(turn), addressOf(leg.target))
}

/** What the caller wants to send and hear; audio if it leaves the offer to us. */
export function kindsAsked(turn: Turn): readonly MediumKind[] {
  const { offer } = turn.asked
  return offer === undefined ? ['audio'] : mediaKinds(offer, mayHaveVideo(turn))
}

export function mayHaveVideo(turn: Turn): boolean {
  return turn.deps.config.sdp.user.video
}

/** Asks for a media session with the caller's side and those of the first legs. */
export function openSession(turn: Turn, legs: readonly Leg[]): void {
  const leg = turn.leg('a')
  const towards = mediaAddressOf(turn.asked.offer) ?? leg.flow?.remote.host
  openMedia(turn, [sideSpec(leg, kindsAsked(turn), towards), ...legs.map((branch) => branchSide(turn, branch))])
}

/** Adds the sides of a further group to the open session; each INVITE waits for its own. */
export function addSides(turn: Turn, legs: readonly Leg[]): void {
  for (const leg of legs) {
    changeMedia(turn, { kind: 'add-side', side: branchSide(turn, leg) }, { kind: 'add-side', leg: leg.id })
  }
}

/** The side of a branch exists: calls it. @returns the status the branch failed with, if it cannot be called. */
export function invite(turn: Turn, id: LegId): number | undefined {
  const { offer } = turn.asked
  try {
    const late = turn.leg(id).destination?.lateOffer === true
    const made = () => (offer === undefined ? ownOfferTo(turn, id) : offerTo(turn, id, offer))
    sendInvite(turn, id, late ? undefined : made())
    return undefined
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `No offer for this leg: ${message}`, { leg: id, facts: { code } })
    return sipStatus
  }
}

/** What of the INVITE to a target of a transfer is not as in that of a call. */
export interface Invitation {
  readonly purpose: 'transfer'
  readonly from: CallerIdentity
  readonly headers: readonly HeaderField[]
}

export function sendInvite(turn: Turn, id: LegId, sdp: SessionDescription | undefined, as?: Invitation): void {
  const leg = turn.leg(id)
  const { destination } = leg
  if (destination === undefined) return
  const headers = [...inviteHeaders(turn, leg, destination, as), ...(as?.headers ?? [])]
  const request = createRequest({ method: 'INVITE', uri: destination.uri, headers, body: sdp && sdpBody(sdp) })
  const inviteKey = send(turn, id, request, leg.target, { purpose: as?.purpose ?? 'invite' })
  turn.updateLeg(id, { status: 'inviting', inviteKey })
  turn.emit({ kind: 'dialog', leg: id, sipCallId: leg.sipCallId, localTag: leg.localTag })
  const facts = { uri: destination.uri, target: targetText(leg.target) }
  turn.note('routing', `Calling ${partyName(leg.party)}`, { leg: id, facts })
  awaitSign(turn, leg)
}

/** Where there is another target to try, this one has to say something soon. */
function awaitSign(turn: Turn, { party }: Leg): void {
  if (party.kind !== 'trunk' || turn.call.groups.length === 0) return
  turn.setDeadline('silence', turn.now + (turn.deps.config.silenceMs ?? SILENCE_MS))
}

/** To a peer that shall offer: with 100rel it could do so in an 18x, and want the answer in PRACK (RFC 3262 §5). */
const TIMER_ONLY: HeaderField = { name: 'Supported', value: 'timer' }

function inviteHeaders(turn: Turn, leg: Leg, destination: Destination, as?: Invitation): HeaderField[] {
  const { config } = turn.deps
  return [
    ...destination.route.map((value) => ({ name: 'Route', value })),
    { name: 'Max-Forwards', value: String(turn.asked.maxForwards - 1) },
    ...identityHeaders(
      as === undefined ? turn.asked : { ...turn.asked, ...as.from },
      destination,
      leg.localTag,
      config,
    ),
    { name: 'Call-ID', value: leg.sipCallId },
    { name: 'CSeq', value: '1 INVITE' },
    contactOf(turn, leg.id),
    ALLOW_IN_CALL,
    // Reliable responses to a transfer would have nobody to be passed on to.
    ...(as === undefined ? [destination.lateOffer === true ? TIMER_ONLY : SUPPORTED_IN_CALL] : []),
    ...askedSession(turn, leg.party),
    { name: 'User-Agent', value: config.product },
  ]
}

/** A leg to be called. */
export function newBranch(turn: Turn, destination: Destination): Leg {
  const { ids } = turn.deps
  const id = `b${turn.count('branch')}`
  const { target, profile, party } = destination
  const leg = createLeg({
    id,
    party,
    profile,
    transport: target.kind === 'flow' ? target.flow.transport : target.transport,
    target,
    flow: target.kind === 'flow' ? target.flow : undefined,
    status: 'waiting',
    destination,
    sipCallId: ids.token(128),
    localTag: ids.token(),
    sessionId: sessionId(ids.token()),
  })
  turn.update({ legs: { ...turn.call.legs, [id]: leg } })
  return leg
}

/** `o=` wants a number (RFC 8866 §5.2); 47 bits of the token are enough to be its own. */
export function sessionId(token: string): string {
  let hash = 0
  for (const char of token) hash = (hash * 33 + char.charCodeAt(0)) % 140_737_488_355_213
  return String(hash + 1)
}
