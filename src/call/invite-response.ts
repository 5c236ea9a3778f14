import { asGatewayError, GatewayError } from '../base/index.ts'
import { parseSdp, type SessionDescription } from '../sdp/index.ts'
import {
  type ClientKey,
  type Dialog,
  dialogFromResponse,
  type HeaderField,
  requestInDialog,
  type SipResponse,
} from '../sip/index.ts'
import { answerCaller } from './answer.ts'
import { ringCaller } from './early-media.ts'
import { branchFailed, cancelOthers } from './forking.ts'
import { hangUp, part } from './hangup.ts'
import { type KeptRequest, restore, trimmed } from './kept-request.ts'
import type { LegId } from './model.ts'
import { acknowledge, finish, send, targetInDialog } from './requests.ts'
import { takePromise } from './session-timer.ts'
import type { Sent } from './state.ts'
import type { Outcome } from './status.ts'
import type { Turn } from './turn.ts'

/** A response to the INVITE of a branch. */
export function onInviteResponse(turn: Turn, key: ClientKey, sent: Sent, response: SipResponse): void {
  if (response.status < 200) return onProvisional(turn, sent, response)
  finish(turn, key)
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
  acknowledge(turn, id, key, dialog, response)
  turn.note('routing', 'A second answer of the same branch is hung up', { leg: id })
  hangUpStray(turn, id, dialog)
}

function onProvisional(turn: Turn, { leg: id, request }: Sent, response: SipResponse): void {
  const { status } = turn.leg(id)
  if (response.status === 100 || (status !== 'inviting' && status !== 'ringing')) return
  const early = response.headers.toTag === undefined ? undefined : dialogOf(turn, id, request, response)
  turn.updateLeg(id, { status: 'ringing', ...(early !== undefined && { dialog: early }) })
  if (turn.call.phase === 'inviting') turn.move('provisional')
  ringCaller(turn, id, response)
}

/** A branch answered. The first one gets the call; the others are too late. */
function onSuccess(turn: Turn, key: ClientKey, sent: Sent, response: SipResponse): void {
  const { leg: id, request } = sent
  const leg = turn.leg(id)
  const dialog = dialogOf(turn, id, request, response)
  if (dialog === undefined) return failAnswer(turn, id, new GatewayError('SIP_MALFORMED_MESSAGE', 'It leads nowhere'))
  acknowledge(turn, id, key, dialog, response)
  turn.updateLeg(id, { dialog, invitation: trimmed(request) })
  const open = leg.status === 'inviting' || leg.status === 'ringing'
  if (!open || turn.call.winner !== undefined || turn.call.ending !== undefined) return hangUpLoser(turn, id)
  turn.updateLeg(id, { status: 'confirmed' })
  turn.update({ winner: id })
  cancelOthers(turn, id)
  takePromise(turn, id, response)
  try {
    answerCaller(turn, id, answerIn(turn, id, response))
  } catch (thrown) {
    failAnswer(turn, id, asGatewayError(thrown))
  }
}

/** The answer crossed our CANCEL (RFC 3261 §9.1). */
function hangUpLoser(turn: Turn, id: LegId): void {
  turn.note('routing', 'Answered too late', { leg: id })
  turn.updateLeg(id, { status: 'confirmed' })
  part(turn, id, 'SIP;cause=200;text="Call completed elsewhere"')
}

/** A peer may repeat its SDP of a provisional response, or think it need not (RFC 3261 §13.2.1). */
function answerIn(turn: Turn, id: LegId, response: SipResponse): SessionDescription {
  if (response.body !== '') return parseSdp(response.body)
  const early = turn.leg(id).sdp.theirs
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
function outcomeOf({ status, headers }: SipResponse): Outcome {
  const told: HeaderField[] = []
  for (const name of ['Retry-After', 'Reason']) {
    const value = headers.get(name)
    if (value !== undefined) told.push({ name, value })
  }
  return { status, told }
}

/** The dialog that a response makes; `undefined` if nothing could be sent inside it. */
function dialogOf(turn: Turn, id: LegId, request: KeptRequest, response: SipResponse): Dialog | undefined {
  try {
    const dialog = dialogFromResponse(restore(request), response)
    targetInDialog(turn.leg(id), dialog)
    return dialog
  } catch (thrown) {
    turn.note('error', asGatewayError(thrown).message, { leg: id })
    return undefined
  }
}
