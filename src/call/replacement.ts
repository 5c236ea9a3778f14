import { asGatewayError, LIMITS } from '../base/index.ts'
import { parseSdp, profileOf, type SessionDescription } from '../sdp/index.ts'
import { dialogFromRequest, type HeaderField, type ServerKey } from '../sip/index.ts'
import { mayHaveVideo, sessionId } from './branch.ts'
import { dropSide } from './forking.ts'
import { handOver, renegotiate } from './hand-over.ts'
import { part } from './hangup.ts'
import { createLeg, nearLeg, otherLeg } from './leg-state.ts'
import { changeMedia, mediaAddressOf, mediaKinds, sideSpec } from './media-plan.ts'
import type { CallEvent, LegId } from './model.ts'
import { faultIn } from './offered.ts'
import { willing } from './reoffer.ts'
import { awaitReply, reply, sdpBody } from './replies.ts'
import { answerLike, offerTo, ownOfferTo } from './sdp-exchange.ts'
import { takeWish } from './session-timer.ts'
import type { CallState } from './state.ts'
import type { Turn } from './turn.ts'

/** An INVITE that takes over the place of another dialog, until it is answered (RFC 3891). */
export interface Replacement {
  readonly key: ServerKey
  readonly leg: LegId
  readonly replaced: LegId
  /** Absent: our offer is wanted. */
  readonly offer?: SessionDescription | undefined
}

type Replacing = CallEvent & { readonly kind: 'replacing' }

/** The name that the next leg of the call will get. */
export function nextLegId({ counters }: CallState): LegId {
  return `b${counters.branch + 1}`
}

/** An INVITE with Replaces for one of our dialogs. */
export function onReplacing(turn: Turn, event: Replacing): void {
  const { key, request } = event
  const id = adopt(turn, event)
  awaitReply(turn, id, key, request)
  const refuse = (status: number, headers?: readonly HeaderField[]): void => {
    reply(turn, key, status, { headers })
    turn.updateLeg(id, { status: 'gone' })
  }
  const { localTag, sipCallId } = turn.leg(id)
  const peer = { tag: request.headers.fromTag ?? '', flow: event.flow }
  turn.emit({ kind: 'dialog', leg: id, sipCallId, localTag, peer })
  const fault = faultIn(turn, request)
  const status = fault?.status ?? whyNot(turn, event.leg)
  if (status !== undefined) return refuse(status, fault?.headers)
  try {
    turn.updateLeg(id, { dialog: dialogFromRequest(request, localTag, 'early') })
    const offer = request.body === '' ? undefined : parseSdp(request.body)
    if (offer !== undefined) turn.updateLeg(id, { profile: profileOf(offer) })
    takeWish(turn, id, request)
    begin(turn, { key, leg: id, replaced: event.leg, offer })
  } catch (thrown) {
    refuse(asGatewayError(thrown).sipStatus)
  }
}

/** RFC 3891 §3: a dialog that is not up (any more) is as if it were not there. */
function whyNot(turn: Turn, leg: LegId): number | undefined {
  const { phase, transfer, replacement, builtin, winner, transfers = 0 } = turn.call
  const isUp = phase === 'talking' || phase === 'reoffering'
  const isOurs = leg === nearLeg(turn.call) || leg === winner
  if (!isUp || !isOurs || turn.leg(leg).status !== 'confirmed') return phase === 'ending' ? 603 : 481
  if (builtin !== undefined || transfers >= LIMITS.transfersPerCall) return 603
  return transfer === undefined && replacement === undefined ? undefined : 491
}

/** The leg of the one who comes. */
function adopt(turn: Turn, { request, flow, party }: Replacing): LegId {
  const { ids } = turn.deps
  const id = `b${turn.count('branch')}`
  const leg = createLeg({
    id,
    party,
    profile: flow.transport === 'ws' || flow.transport === 'wss' ? 'webrtc' : 'rtp',
    transport: flow.transport,
    target: { kind: 'flow', flow },
    flow,
    status: 'waiting',
    sipCallId: request.headers.callId,
    localTag: ids.token(),
    sessionId: sessionId(ids.token()),
  })
  turn.update({ legs: { ...turn.call.legs, [id]: leg } })
  return id
}

function begin(turn: Turn, replacement: Replacement): void {
  const { leg: id, replaced, offer } = replacement
  const stays = otherLeg(turn.call, replaced)
  const theirs = stays === undefined ? undefined : turn.leg(stays).sdp.theirs
  turn.update({ replacement, transfers: (turn.call.transfers ?? 0) + 1 })
  turn.note('routing', 'Takes the place of another leg', { leg: id, facts: { leg: replaced } })
  const leg = turn.leg(id)
  const spoken = offer ?? theirs
  const kinds = spoken === undefined ? [] : mediaKinds(spoken, mayHaveVideo(turn))
  const side = sideSpec(leg, kinds.length === 0 ? ['audio'] : kinds, mediaAddressOf(offer) ?? leg.flow?.remote.host)
  changeMedia(turn, { kind: 'add-side', side }, { kind: 'add-replacement', leg: id })
}

/** The side of the one who comes exists: it is answered with what the one who stays speaks, and has the place. */
export function answerReplacement(turn: Turn, id: LegId): void {
  const { replacement } = turn.call
  if (replacement?.leg !== id) return
  const { key, replaced, offer } = replacement
  const stays = otherLeg(turn.call, replaced)
  if (stays === undefined || turn.leg(replaced).status !== 'confirmed') return refuseReplacement(turn, id, 481)
  try {
    const sdp = offer === undefined ? ask(turn, id, stays) : answerLike(turn, id, offer, stays)
    reply(turn, key, 200, { body: sdpBody(sdp) })
  } catch (thrown) {
    return refuseReplacement(turn, id, asGatewayError(thrown).sipStatus)
  }
  const { dialog } = turn.leg(id)
  turn.updateLeg(id, { status: 'accepted', dialog: dialog && { ...dialog, state: 'confirmed' } })
  turn.update({ replacement: undefined })
  handOver(turn, replaced, id)
  part(turn, replaced, 'SIP;cause=200;text="Replaced"')
  if (offer !== undefined) renegotiate(turn, id)
  turn.emit({ kind: 'changed' })
}

export function refuseReplacement(turn: Turn, id: LegId, status: number): void {
  const { replacement } = turn.call
  if (replacement?.leg !== id) return
  turn.update({ replacement: undefined })
  reply(turn, replacement.key, status)
  turn.updateLeg(id, { status: 'gone' })
  dropSide(turn, id)
}

/** Our offer to one who wants it; the answer comes in the ACK (RFC 3261 §13.2.1). */
function ask(turn: Turn, id: LegId, stays: LegId): SessionDescription {
  const offer = willing(turn, stays)
  const sdp = offer === undefined ? ownOfferTo(turn, id) : offerTo(turn, id, offer)
  turn.updateLeg(id, { sdp: { ...turn.leg(id).sdp, awaitsAnswer: true } })
  return sdp
}
