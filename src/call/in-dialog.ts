import { asGatewayError } from '../base/index.ts'
import { acceptInDialog, type HeaderField, refreshTarget, type ServerKey, type SipRequest } from '../sip/index.ts'
import { dialogWith, earlyDialog, keepDialog } from './early-dialogs.ts'
import { dismissBranch } from './forking.ts'
import { hangUp } from './hangup.ts'
import { bodyOf } from './kept-request.ts'
import { nearLeg, otherLeg } from './leg-state.ts'
import type { CallEvent, LegId } from './model.ts'
import { faultIn } from './offered.ts'
import { onPrack } from './reliable.ts'
import { isBusy, isSettled, offerAgain, onOffer } from './reoffer.ts'
import { awaitReply, reply } from './replies.ts'
import { sendInDialog } from './requests.ts'
import { takeWish } from './session-timer.ts'
import { leavesTransfer, onRefer, passNotify } from './transfer.ts'
import type { Turn } from './turn.ts'

/** Header lines of an INFO that belong to its body (RFC 6086 §7). */
const INFO_HEADERS = ['Info-Package', 'Content-Disposition']

/** A request inside the dialog of a leg. */
export function onRequest(turn: Turn, event: CallEvent & { readonly kind: 'request' }): void {
  const { leg: id, key, request, flow } = event
  const { status } = turn.leg(id)
  const dialog = dialogWith(turn, id, request)
  awaitReply(turn, id, key, request)
  if (dialog === undefined || status === 'gone') return reply(turn, key, 481)
  const order = acceptInDialog(dialog, request)
  if (order.kind === 'refuse') return reply(turn, key, order.status)
  keepDialog(turn, id, order.dialog)
  turn.updateLeg(id, { flow })
  if (request.method === 'BYE') return onBye(turn, id, key, request)
  if (turn.call.ending !== undefined || !takesPart(turn, id)) return reply(turn, key, 481)
  if (request.method === 'REFER') return onRefer(turn, event)
  dispatch(turn, id, key, request)
}

function dispatch(turn: Turn, id: LegId, key: ServerKey, request: SipRequest): void {
  switch (request.method) {
    case 'INVITE':
    case 'UPDATE':
      return onRefresh(turn, id, key, request)
    case 'PRACK':
      return id === 'a' ? onPrack(turn, key, request) : reply(turn, key, 481)
    case 'INFO':
      return onInfo(turn, id, key, request)
    case 'OPTIONS':
      return reply(turn, key, 200, { headers: [{ name: 'Accept', value: 'application/sdp' }] })
    case 'NOTIFY':
      return passNotify(turn, id, key, request)
    default:
      return reply(turn, key, 405)
  }
}

/** The caller's leg, or who has its place, always does; of the called ones the winner, and while they ring those that were heard from. */
function takesPart(turn: Turn, id: LegId): boolean {
  return id === nearLeg(turn.call) || turn.call.winner === id || turn.call.winner === undefined
}

function onBye(turn: Turn, id: LegId, key: ServerKey, request: SipRequest): void {
  const { status } = turn.leg(id)
  const ringing = id !== 'a' && (status === 'inviting' || status === 'ringing')
  if (ringing) return reply(turn, key, 481) // A callee declines an early dialog, it does not end it (RFC 3261 §15).
  reply(turn, key, 200)
  if (id === 'a' && endsOneOfSeveral(turn, request.headers.toTag ?? '')) return
  turn.updateLeg(id, { status: 'gone', unacknowledged: undefined })
  if (!takesPart(turn, id) || leavesTransfer(turn, id)) return
  hangUp(turn, {
    status: turn.call.answeredAt === undefined ? 487 : 200,
    endedBy: id === 'a' ? 'caller' : 'callee',
    reason: id === 'a' ? 'The caller hung up' : 'The callee hung up',
    reasonHeader: request.headers.get('Reason'),
  })
}

/** A caller may leave one of several early dialogs and wait for the others (RFC 3261 §15). */
function endsOneOfSeveral(turn: Turn, tag: string): boolean {
  const { earlyDialogs = [], winner } = turn.call
  const { source } = earlyDialog(turn, tag)
  if (source === undefined || winner !== undefined || earlyDialogs.length < 2) return false
  dismissBranch(turn, source.leg)
  return true
}

/** A refresh of target, timer or session (RFC 3261 §14.2, RFC 3311 §5.2, RFC 4028). */
function onRefresh(turn: Turn, id: LegId, key: ServerKey, request: SipRequest): void {
  const fault = faultIn(turn, request)
  if (fault !== undefined) return reply(turn, key, fault.status, { headers: fault.headers })
  const offers = request.body !== '' || request.method === 'INVITE'
  const busy = offers ? pending(turn, id, request) : undefined
  if (busy !== undefined) return reply(turn, key, busy.status, { headers: busy.headers })
  const dialog = dialogWith(turn, id, request)
  if (dialog !== undefined) keepDialog(turn, id, refreshTarget(dialog, request))
  if (turn.call.answeredAt !== undefined) takeWish(turn, id, request)
  if (!offers) return reply(turn, key, 200)
  try {
    if (request.body === '') offerAgain(turn, id, key)
    else onOffer(turn, id, key, request)
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', message, { leg: id, facts: { code } })
    reply(turn, key, sipStatus)
  }
}

/** Why no new offer can be taken now: glare, or the last one is not settled (RFC 3261 §14.2, RFC 3311 §5.2). */
function pending(turn: Turn, id: LegId, request: SipRequest): Refusal | undefined {
  const { answeredAt, phase, reoffer } = turn.call
  if (answeredAt === undefined) {
    if (reoffer !== undefined && reoffer.from !== id) return GLARE
    return reoffer === undefined && request.method === 'UPDATE' && isShown(turn, id, request) && isSettled(turn, id)
      ? undefined
      : LATER
  }
  if (!isBusy(turn)) return undefined
  return phase !== 'answering' && reoffer?.from === id ? LATER : GLARE
}

/** Whether it belongs to the early dialog that the leg shows: the others are not heard. */
function isShown(turn: Turn, id: LegId, request: SipRequest): boolean {
  return dialogWith(turn, id, request) === turn.leg(id).dialog
}

interface Refusal {
  readonly status: number
  readonly headers: readonly HeaderField[]
}

const GLARE: Refusal = { status: 491, headers: [] }
const LATER: Refusal = { status: 500, headers: [{ name: 'Retry-After', value: '2' }] }

/** INFO is passed on with its body: DTMF of peers that send it so, and what else they agree on (RFC 6086). */
function onInfo(turn: Turn, id: LegId, key: ServerKey, request: SipRequest): void {
  const to = otherLeg(turn.call, id)
  if (turn.call.builtin !== undefined) return reply(turn, key, 200)
  if (to === undefined || turn.leg(to).status !== 'confirmed') return reply(turn, key, 480)
  const headers = INFO_HEADERS.flatMap((name) => {
    const value = request.headers.get(name)
    return value === undefined ? [] : [{ name, value }]
  })
  sendInDialog(turn, to, 'INFO', 'info', { headers, body: bodyOf(request), relayOf: key })
}
