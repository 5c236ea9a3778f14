import { asGatewayError } from '../base/index.ts'
import { parseSdp, type SessionDescription } from '../sdp/index.ts'
import { type ClientKey, refreshTarget, type ServerKey, type SipRequest, type SipResponse } from '../sip/index.ts'
import { hangUp, refusal } from './hangup.ts'
import { otherLeg } from './leg-state.ts'
import { changeMedia } from './media-plan.ts'
import type { LegId } from './model.ts'
import { isAgreedReliably } from './prack.ts'
import { reply, sdpBody } from './replies.ts'
import { acknowledge, finish, sendInDialog } from './requests.ts'
import { restartsIce, sameForOtherLeg } from './sdp-compare.ts'
import { agree, answerAgain, answerHere, answerTo, offerTo, ownOfferTo } from './sdp-exchange.ts'
import { keptSession, longerThan, takePromise } from './session-timer.ts'
import type { Reoffer, Sent } from './state.ts'
import { statusForCaller } from './status.ts'
import type { Turn } from './turn.ts'

/** How long the other side may think about a renegotiation: that of a transaction, RFC 3261 §17.1.1.2. */
const REOFFER_MS = 32_000

type Change = Pick<Reoffer, 'from' | 'key' | 'offer'>

/** A new offer inside the dialog of `from`: a re-INVITE or UPDATE with SDP. @throws GatewayError `SDP_MALFORMED`. */
export function onOffer(turn: Turn, from: LegId, key: ServerKey, request: SipRequest): void {
  const change = { from, key, offer: parseSdp(request.body) }
  const before = turn.leg(from).sdp.theirs
  if (before === undefined || !restartsIce(before, change.offer)) return proceed(turn, change)
  turn.update({ reoffer: { ...change, stage: 'restarting-ice' } })
  turn.setDeadline('reoffer', turn.now + REOFFER_MS)
  if (turn.call.phase === 'talking') turn.move('reoffered')
  turn.note('media', 'ICE restart', { leg: from })
  changeMedia(turn, { kind: 'restart-ice', side: from }, { kind: 'restart-ice', leg: from })
}

/** The engine has new ICE credentials, or none to give. */
export function onIceRestarted(turn: Turn, from: LegId, failed?: number): void {
  const { reoffer } = turn.call
  if (reoffer?.stage !== 'restarting-ice' || reoffer.from !== from) return
  if (failed === undefined) return proceed(turn, reoffer)
  fail(turn, failed)
}

/** Asks the other leg for what was offered on `from`; its answer settles it. */
export function relayOffer(turn: Turn, change: Change, to: LegId): void {
  try {
    askAgain(turn, change, to, offerTo(turn, to, change.offer))
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `The new offer cannot be passed on: ${message}`, { leg: change.from, facts: { code } })
    refuseChange(turn, change, sipStatus)
  }
}

/** Sends an offer inside the dialog of `to`: in a re-INVITE, before the call is answered in UPDATE (RFC 3311 §5.1). */
export function askAgain(turn: Turn, change: Change, to: LegId, offered: SessionDescription): void {
  const { from, key, offer } = change
  const method = turn.call.answeredAt === undefined ? 'UPDATE' : 'INVITE'
  const headers = keptSession(turn.leg(to))
  const client = sendInDialog(turn, to, method, 'reinvite', { headers, body: sdpBody(offered), relayOf: key })
  if (turn.call.retry?.from === from) forgetRetry(turn) // This offer is newer.
  turn.update({ reoffer: { from, to, key, offer, stage: 'asked', offered, client } })
  turn.setDeadline('reoffer', turn.now + REOFFER_MS)
  if (turn.call.phase === 'talking') turn.move('reoffered')
}

/** An answer to a re-INVITE of ours, or to an UPDATE with an offer. */
export function onReinviteResponse(turn: Turn, key: ClientKey, sent: Sent, response: SipResponse): void {
  if (response.status < 200) return
  finish(turn, key)
  const { dialog } = turn.leg(sent.leg)
  const success = response.status < 300
  if (success && dialog !== undefined) {
    const refreshed = refreshTarget(dialog, response)
    turn.updateLeg(sent.leg, { dialog: refreshed })
    if (sent.request.method === 'INVITE') acknowledge(turn, sent.leg, { key, dialog: refreshed, response })
    if (turn.call.answeredAt !== undefined) takePromise(turn, sent.leg, response)
  }
  if (turn.call.reoffer?.client !== key) return success ? undo(turn, sent.leg) : undefined
  if (success) return agreed(turn, turn.call.reoffer, response)
  if (response.status === 422 && askLonger(turn, sent.leg, turn.call.reoffer, response)) return
  refused(turn, sent.leg, response.status)
}

/** RFC 4028 §7.4: the peer wants a longer session interval. Returns whether it was asked again. */
function askLonger(turn: Turn, id: LegId, reoffer: Reoffer, response: SipResponse): boolean {
  const { session } = turn.leg(id)
  const longer = session && longerThan(session, response)
  if (session === undefined || longer === undefined || reoffer.offered === undefined) return false
  turn.updateLeg(id, { session: { ...session, ...longer } })
  askAgain(turn, reoffer, id, reoffer.offered)
  return true
}

/** The peer took an offer that was given up: it is asked for what the other side has, unless a newer offer is out. */
function undo(turn: Turn, id: LegId): void {
  const from = otherLeg(turn.call, id)
  const offer = from === undefined ? undefined : turn.leg(from).sdp.theirs
  if (from === undefined || offer === undefined || isBusy(turn)) return
  relayOffer(turn, { from, offer }, id)
}

/** The re-INVITE got no answer at all. */
export function onReinviteFailed(turn: Turn, key: ClientKey, sent: Sent, cause: 'timeout' | 'transport'): void {
  if (turn.call.reoffer?.client === key) refused(turn, sent.leg, cause === 'timeout' ? 408 : 503)
}

/** The challenged re-INVITE goes on under another key. */
export function followReinvite(turn: Turn, before: ClientKey, now: ClientKey): void {
  const { reoffer } = turn.call
  if (reoffer?.client === before) turn.update({ reoffer: { ...reoffer, client: now } })
}

/** The other side took too long, or who asked has given up. */
export function abandonReoffer(turn: Turn, status: number): void {
  const { reoffer } = turn.call
  if (reoffer === undefined) return
  if (reoffer.client !== undefined) turn.emit({ kind: 'cancel', key: reoffer.client })
  fail(turn, status)
}

function proceed(turn: Turn, change: Change): void {
  const { from, key, offer } = change
  const to = turn.call.answeredAt === undefined ? earlyOther(turn, from) : otherLeg(turn.call, from)
  const before = turn.leg(from).sdp.theirs
  const ownMatter = before !== undefined && sameForOtherLeg(before, offer)
  if (to !== undefined && !ownMatter) return relayOffer(turn, change, to)
  try {
    const alone = turn.call.builtin !== undefined
    const ours = alone ? answerHere(turn, from, offer) : answerAgain(turn, from, offer)
    if (key !== undefined) reply(turn, key, 200, { body: sdpBody(ours) })
    settle(turn)
  } catch (thrown) {
    refuseChange(turn, change, asGatewayError(thrown).sipStatus)
  }
}

/**
 * Who is asked about an offer that comes before the call is answered: the other side of early media, if its offer and
 * answer are settled and it takes UPDATE. Otherwise we answer by ourselves, within what is agreed.
 */
function earlyOther(turn: Turn, from: LegId): LegId | undefined {
  const to = from === 'a' ? turn.call.early : 'a'
  if (to === undefined || turn.leg(to).updates !== true) return undefined
  return isSettled(turn, to) ? to : undefined
}

/** Whether offer and answer of a leg are settled before its INVITE is answered: only then may UPDATE carry an offer. */
export function isSettled(turn: Turn, id: LegId): boolean {
  const { sdp, dialog } = turn.leg(id)
  if (id === 'a') return sdp.agreedEarly === true
  return dialog !== undefined && isAgreedReliably(turn, { leg: id, remoteTag: dialog.remoteTag })
}

function agreed(turn: Turn, reoffer: Reoffer, response: SipResponse): void {
  const { from, to, key, offer, offered } = reoffer
  if (to === undefined || offered === undefined) return fail(turn, 500)
  try {
    const answer = parseSdp(response.body)
    agree(turn, to, offered, answer)
    if (key !== undefined) reply(turn, key, 200, { body: sdpBody(answerTo(turn, from, { offer, offered, answer })) })
    settle(turn)
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `The new answer cannot be used: ${message}`, { leg: to, facts: { code } })
    fail(turn, sipStatus === 400 ? 488 : sipStatus)
  }
}

/** RFC 3261 §12.2.1.2: 481 and 408 end the dialog; anything else leaves the session as it was (§14.1). */
function refused(turn: Turn, by: LegId, status: number): void {
  if (status === 491 && turn.call.reoffer?.key === undefined) retryLater(turn, by)
  const early = turn.call.answeredAt === undefined // Then the INVITE tells how the leg fares.
  if (early || (status !== 408 && status !== 481)) return fail(turn, statusForReoffer(status))
  if (status === 481) turn.updateLeg(by, { status: 'gone' })
  hangUp(turn, { status, endedBy: by === 'a' ? 'caller' : 'callee', reason: refusal(status) })
}

/** The time of an offer of ours that met glare has come. */
export function retryReoffer(turn: Turn): void {
  const { retry } = turn.call
  const to = retry && otherLeg(turn.call, retry.from)
  if (retry === undefined || to === undefined) return
  if (isBusy(turn)) return turn.setDeadline('retry', turn.now + 2_000)
  forgetRetry(turn)
  relayOffer(turn, retry, to)
}

/** An offer waits for its answer, or the call is not up. */
export function isBusy({ call, legs }: Turn): boolean {
  return call.phase !== 'talking' || call.reoffer !== undefined || legs.some((leg) => leg.sdp.awaitsAnswer === true)
}

function forgetRetry(turn: Turn): void {
  turn.update({ retry: undefined })
  turn.setDeadline('retry', undefined)
}

/** RFC 3261 §14.1: 2.1 to 4 s where the Call-ID is ours (every called leg), else up to 2 s. */
function retryLater(turn: Turn, to: LegId): void {
  const { reoffer } = turn.call
  if (reoffer === undefined) return
  const drawn = Number.parseInt(turn.deps.ids.token(20).slice(0, 4), 36) % 190
  turn.update({ retry: { from: reoffer.from, offer: reoffer.offer } })
  turn.setDeadline('retry', turn.now + 10 * (turn.leg(to).destination === undefined ? drawn : 210 + drawn))
}

/** Glare (491) of a relayed offer is its originator's to repeat. */
function statusForReoffer(status: number): number {
  return status === 491 ? 491 : statusForCaller(status)
}

function fail(turn: Turn, status: number): void {
  const { reoffer } = turn.call
  if (reoffer !== undefined) refuseChange(turn, reoffer, status)
}

function refuseChange(turn: Turn, { from, key }: Change, status: number): void {
  turn.note('sdp', `The session stays as it was: ${refusal(status)}`, { leg: from, facts: { status } })
  if (key !== undefined) reply(turn, key, status)
  settle(turn)
}

function settle(turn: Turn): void {
  turn.update({ reoffer: undefined })
  turn.setDeadline('reoffer', undefined)
  if (turn.call.phase === 'reoffering') turn.move('settled')
}

/**
 * An offer for a peer that asks for one inside its dialog (RFC 3261 §14.2): what the other side has, once more. Both
 * ways, unless the other side holds: a peer that was on hold may want to resume by it.
 */
export function offerAgain(turn: Turn, id: LegId, key: ServerKey): void {
  const other = otherLeg(turn.call, id)
  const source = other === undefined ? undefined : willing(turn, other)
  const offer = source === undefined ? ownOfferTo(turn, id) : offerTo(turn, id, source)
  turn.updateLeg(id, { sdp: { ...turn.leg(id).sdp, awaitsAnswer: true } })
  reply(turn, key, 200, { body: sdpBody(offer) })
}

export function willing(turn: Turn, id: LegId): SessionDescription | undefined {
  const { holds, sdp } = turn.leg(id)
  if (holds || sdp.theirs === undefined) return sdp.theirs
  return { ...sdp.theirs, media: sdp.theirs.media.map((section) => ({ ...section, direction: 'sendrecv' as const })) }
}
