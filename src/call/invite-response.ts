import { asGatewayError, GatewayError, LIMITS } from '../base/index.ts'
import { parseSdp, type SessionDescription } from '../sdp/index.ts'
import {
  type Body,
  type ClientKey,
  type Dialog,
  dialogFromResponse,
  type HeaderField,
  requestInDialog,
  type SipResponse,
} from '../sip/index.ts'
import { answerCaller } from './answer.ts'
import { dialogOfSource, type EarlySource } from './early-dialogs.ts'
import { ringCaller, showFork, showWinner } from './early-media.ts'
import { branchFailed, cancelOthers } from './forking.ts'
import { hangUp, part } from './hangup.ts'
import { type KeptRequest, restore, trimmed } from './kept-request.ts'
import { answerCallerLate, answerLate } from './late-offer.ts'
import { isPending } from './leg-state.ts'
import type { LegId } from './model.ts'
import { acknowledgeReliably, isAgreedReliably, isReliablyTold } from './prack.ts'
import { redirect } from './redirect.ts'
import { sdpBody } from './replies.ts'
import { acknowledge, finish, resend, send, targetInDialog } from './requests.ts'
import { longerThan, sessionExpires, takePromise, withLongerSession } from './session-timer.ts'
import type { Sent } from './state.ts'
import type { Outcome } from './status.ts'
import type { Turn } from './turn.ts'

/** A response to the INVITE of a branch. */
export function onInviteResponse(turn: Turn, key: ClientKey, sent: Sent, response: SipResponse): void {
  if (turn.call.deadlines.silence !== undefined) turn.setDeadline('silence', undefined)
  if (response.status < 200) return onProvisional(turn, sent, response)
  finish(turn, key)
  if (response.status === 422 && inviteLonger(turn, sent, response)) return
  if (response.status >= 300 && response.status < 400 && redirect(turn, sent.leg, response)) return
  if (response.status >= 300) return branchFailed(turn, sent.leg, outcomeOf(response))
  onSuccess(turn, key, sent, response)
}

/**
 * A 2xx to an INVITE whose transaction we count as ended: another end of a fork behind the peer (RFC 3261 §13.2.2.4).
 * Nobody talks there, so it is acknowledged and hung up.
 */
export function onStrayAnswer(
  turn: Turn,
  id: LegId,
  key: ClientKey,
  request: KeptRequest,
  response: SipResponse,
): void {
  const dialog = dialogOf(turn, id, request, response)
  if (dialog === undefined) return
  acknowledge(turn, id, { key, dialog, response })
  turn.note('routing', 'A second answer of the same branch is hung up', { leg: id })
  hangUpStray(turn, id, goingOn(turn.leg(id).forks?.[dialog.remoteTag], dialog))
}

function onProvisional(turn: Turn, { leg: id, request }: Sent, response: SipResponse): void {
  if (response.status === 100) return
  const { toTag: remoteTag } = response.headers
  if (remoteTag !== undefined) noteDialog(turn, id, request, response)
  if (isReliablyTold(response)) {
    if (remoteTag === undefined || !acknowledgeReliably(turn, { leg: id, remoteTag }, response)) return
  }
  const { status } = turn.leg(id)
  if (status !== 'inviting' && status !== 'ringing') return
  turn.updateLeg(id, { status: 'ringing' })
  if (turn.call.phase === 'inviting') turn.move('provisional')
  ringCaller(turn, id, response)
}

/** RFC 4028 §7.4: the peer wants a longer session interval than we asked for. Returns whether it is invited again. */
function inviteLonger(turn: Turn, sent: Sent, response: SipResponse): boolean {
  const { leg: id, request, raised } = sent
  const asked = sessionExpires(restore(request))
  if (asked === undefined || !isPending(turn.leg(id))) return false
  const longer = longerThan({ seconds: asked.seconds, raised }, response)
  if (longer === undefined) return false
  const fields = withLongerSession(request.fields, longer.seconds)
  const inviteKey = resend(turn, { ...sent, raised: longer.raised }, fields)
  turn.updateLeg(id, { inviteKey, dialog: undefined })
  turn.note('state', 'Asks again with a longer session interval', { leg: id, facts: { seconds: longer.seconds } })
  return true
}

/** A branch answered. The first one gets the call; the others are too late. */
function onSuccess(turn: Turn, key: ClientKey, sent: Sent, response: SipResponse): void {
  const { leg: id, request } = sent
  const leg = turn.leg(id)
  const dialog = dialogOf(turn, id, request, response)
  if (dialog === undefined) return failAnswer(turn, id, new GatewayError('SIP_MALFORMED_MESSAGE', 'It leads nowhere'))
  const source = { leg: id, remoteTag: dialog.remoteTag }
  showFork(turn, source)
  turn.updateLeg(id, { dialog: goingOn(turn.leg(id).dialog, dialog), invitation: trimmed(request) })
  const open = leg.status === 'inviting' || leg.status === 'ringing'
  const wins = open && turn.call.winner === undefined && turn.call.ending === undefined
  const late = leg.destination?.lateOffer === true
  if (!late || !wins) acknowledge(turn, id, { key, dialog, response })
  if (!wins) return hangUpLoser(turn, id)
  turn.updateLeg(id, { status: 'confirmed' })
  turn.update({ winner: id })
  cancelOthers(turn, id)
  takePromise(turn, id, response)
  try {
    showWinner(turn, source)
    if (late) takeLateOffer(turn, id, { key, dialog, response })
    else answerCaller(turn, source, answerIn(turn, source, response))
  } catch (thrown) {
    failAnswer(turn, id, asGatewayError(thrown))
  }
}

/** The offer came in the 200, our answer goes out in the ACK (RFC 3261 §13.2.2.4); without one the session ends. */
function takeLateOffer(turn: Turn, id: LegId, success: Success): void {
  let body: Body | undefined
  try {
    const offer = parseSdp(success.response.body)
    const agreed = answerLate(turn, id, offer)
    body = sdpBody(agreed)
    acknowledge(turn, id, { ...success, body })
    answerCallerLate(turn, id, offer, agreed)
  } catch (thrown) {
    if (body === undefined) acknowledge(turn, id, success)
    throw thrown
  }
}

interface Success {
  readonly key: ClientKey
  readonly dialog: Dialog
  readonly response: SipResponse
}

/** The answer crossed our CANCEL (RFC 3261 §9.1). */
export function hangUpLoser(turn: Turn, id: LegId): void {
  turn.note('routing', 'Answered too late', { leg: id })
  turn.updateLeg(id, { status: 'confirmed' })
  part(turn, id, 'SIP;cause=200;text="Call completed elsewhere"')
}

/**
 * A peer may repeat its SDP of a provisional response, or think it need not (RFC 3261 §13.2.1). What it gave reliably
 * stands.
 */
function answerIn(turn: Turn, source: EarlySource, response: SipResponse): SessionDescription {
  const early = dialogOfSource(turn, source)?.answer ?? turn.leg(source.leg).sdp.theirs
  if (early !== undefined && isAgreedReliably(turn, source)) return early
  if (response.body !== '') return parseSdp(response.body)
  if (early === undefined) throw new GatewayError('SDP_ANSWER_MISMATCH', 'The answer carries no SDP')
  return early
}

function failAnswer(turn: Turn, id: LegId, { code, message, sipStatus }: GatewayError): void {
  turn.note('error', `The answer cannot be used: ${message}`, { leg: id, facts: { code } })
  hangUp(turn, { status: sipStatus === 400 ? 502 : sipStatus, endedBy: 'error', reason: message })
}

function hangUpStray(turn: Turn, id: LegId, dialog: Dialog): void {
  const { request } = requestInDialog(dialog, 'BYE')
  send(turn, id, request, targetInDialog(turn.leg(id), dialog), { purpose: 'stray-bye' })
}

/** What the caller may know of a refusal: when to try again (RFC 3261 §20.33) and why (RFC 3326). */
export function outcomeOf({ status, headers }: SipResponse): Outcome {
  const told: HeaderField[] = []
  for (const name of ['Retry-After', 'Reason']) {
    const value = headers.get(name)
    if (value !== undefined) told.push({ name, value })
  }
  return { status, told }
}

/** The dialog that a response makes; `undefined` if nothing could be sent inside it. */
export function dialogOf(turn: Turn, id: LegId, request: KeptRequest, response: SipResponse): Dialog | undefined {
  try {
    const dialog = dialogFromResponse(restore(request), response)
    targetInDialog(turn.leg(id), dialog)
    return dialog
  } catch (thrown) {
    turn.note('error', asGatewayError(thrown).message, { leg: id })
    return undefined
  }
}

/** The early dialog that a provisional response makes, or makes anew with another target (RFC 3261 §12.1.2). */
function noteDialog(turn: Turn, id: LegId, request: KeptRequest, response: SipResponse): void {
  const made = dialogOf(turn, id, request, response)
  if (made === undefined) return
  const { dialog, forks = {} } = turn.leg(id)
  const { remoteTag } = made
  if (dialog === undefined || dialog.remoteTag === remoteTag) {
    return turn.updateLeg(id, { dialog: goingOn(dialog, made) })
  }
  if (forks[remoteTag] === undefined && Object.keys(forks).length >= LIMITS.earlyDialogsPerCall) return
  turn.updateLeg(id, { forks: { ...forks, [remoteTag]: goingOn(forks[remoteTag], made) } })
}

/** Both sides go on counting where the early dialog was. */
function goingOn(early: Dialog | undefined, made: Dialog): Dialog {
  if (early === undefined || early.remoteTag !== made.remoteTag) return made
  const localSequence = Math.max(early.localSequence, made.localSequence)
  return { ...made, localSequence, remoteSequence: early.remoteSequence }
}
