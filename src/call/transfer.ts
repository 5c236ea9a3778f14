import { decodeUtf8, LIMITS } from '../base/index.ts'
import { type HeaderField, parseNameAddr, refreshTarget, type ServerKey, type SipRequest } from '../sip/index.ts'
import { dropSide } from './forking.ts'
import type { CallerIdentity } from './identity.ts'
import { userOf } from './identity.ts'
import { bodyOf } from './kept-request.ts'
import { otherLeg } from './leg-state.ts'
import type { CallEvent, LegId, Referral } from './model.ts'
import { notifyTransferor } from './refer-subscription.ts'
import { contactOf, reply } from './replies.ts'
import { sendInDialog } from './requests.ts'
import { ringTargets, transferFailed } from './transfer-target.ts'
import type { Turn } from './turn.ts'

type Request = CallEvent & { readonly kind: 'request' }

/** Header lines of a REFER that its receiver needs (RFC 3515, 3892, 4488). */
const REFER_HEADERS = ['Refer-To', 'Referred-By', 'Refer-Sub', 'Replaces', 'Target-Dialog']

/** A REFER inside the dialog of a leg: its peer, the transferor, wants the other one to talk with somebody else. */
export function onRefer(turn: Turn, { leg: id, key, request, referral }: Request): void {
  const { dialog } = turn.leg(id)
  if (dialog !== undefined) turn.updateLeg(id, { dialog: refreshTarget(dialog, request) })
  if (referral === undefined) return reply(turn, key, 603)
  if (referral.kind === 'refuse') {
    turn.note('routing', `Transfer refused: ${referral.reason}`, { leg: id, facts: { status: referral.status } })
    return reply(turn, key, referral.status)
  }
  const stays = otherLeg(turn.call, id)
  const transfers = (turn.call.transfers ?? 0) + 1
  if (turn.call.builtin !== undefined || transfers > LIMITS.transfersPerCall) return reply(turn, key, 603)
  const { phase, transfer, replacement } = turn.call
  const isUp = phase === 'talking' || phase === 'reoffering'
  const isFree = isUp && transfer === undefined && replacement === undefined
  if (!isFree || stays === undefined || turn.leg(stays).status !== 'confirmed') return reply(turn, key, 491)
  if (referral.kind === 'pass') return passRefer(turn, { by: id, to: stays }, key, request)
  turn.update({ transfers })
  accept(turn, { by: id, stays }, key, request)
  carryOut(turn, referral)
}

/** RFC 3515 §2.4.2 and RFC 4488 §4: 202, and NOTIFYs unless the transferor wants none. */
function accept(turn: Turn, { by, stays }: { by: LegId; stays: LegId }, key: ServerKey, request: SipRequest): void {
  const silent = /^false\b/i.test(request.headers.get('Refer-Sub') ?? '')
  const expiresAt = turn.now + turn.asked.ringTimeoutMs
  const event = `refer;id=${request.headers.cseq.sequence}`
  turn.update({
    transfer: {
      by,
      stays,
      from: identityOfLeg(turn, stays),
      headers: [],
      groups: [],
      targets: [],
      outcomes: [],
      subscription: silent ? undefined : { event, expiresAt, notifying: false },
    },
  })
  turn.setDeadline('transfer', expiresAt)
  const told: HeaderField[] = silent ? [{ name: 'Refer-Sub', value: 'false' }] : []
  reply(turn, key, 202, { headers: [contactOf(turn, by), ...told] })
  turn.note('routing', 'Transfer', { leg: by, facts: { to: request.headers.get('Refer-To') ?? '' } })
  notifyTransferor(turn, 100)
}

function carryOut(turn: Turn, referral: Exclude<Referral, { readonly kind: 'pass' | 'refuse' }>): void {
  const { transfer } = turn.call
  if (transfer === undefined) return
  if (referral.kind === 'unreachable') {
    turn.note('routing', `The target cannot be called: ${referral.reason}`, { leg: transfer.by })
    return transferFailed(turn, referral.status)
  }
  const { groups, headers } = referral
  turn.update({ transfer: { ...transfer, groups, headers } })
  if (!ringTargets(turn)) transferFailed(turn, 480)
}

/** As whom the transferee calls the target. */
function identityOfLeg(turn: Turn, id: LegId): CallerIdentity {
  const { party, dialog } = turn.leg(id)
  if (id === 'a') return { displayName: turn.asked.displayName, fromUser: turn.asked.fromUser }
  if (party.kind === 'user') return { fromUser: party.user }
  const { displayName, uri } = parseNameAddr(dialog?.remoteUri ?? '<sip:anonymous@anonymous.invalid>')
  return { displayName: displayName && decodeUtf8(displayName), fromUser: userOf(uri) }
}

/** A transferor that hangs up leaves the transfer to us (RFC 5589 §6.1): the other one waits for the target. */
export function leavesTransfer(turn: Turn, id: LegId): boolean {
  const { transfer } = turn.call
  if (transfer?.by !== id || transfer.outcome !== undefined) return false
  dropSide(turn, id)
  return true
}

function passRefer(
  turn: Turn,
  { by, to }: { readonly by: LegId; readonly to: LegId },
  key: ServerKey,
  request: SipRequest,
): void {
  turn.update({ passedRefer: { by, sequence: request.headers.cseq.sequence } })
  const headers = [...carried(request, REFER_HEADERS), contactOf(turn, to)]
  sendInDialog(turn, to, 'REFER', 'info', { headers, body: bodyOf(request), relayOf: key })
}

/** News of a REFER that was passed on; its CSeq is another one on the transferor's leg (RFC 3515 §2.4.6). */
export function passNotify(turn: Turn, id: LegId, key: ServerKey, request: SipRequest): void {
  const { passedRefer } = turn.call
  const to = otherLeg(turn.call, id)
  const isNews = /^refer\b/i.test(request.headers.get('Event') ?? '')
  if (!isNews || to === undefined || passedRefer?.by !== to) return reply(turn, key, 481)
  const event = { name: 'Event', value: `refer;id=${passedRefer.sequence}` }
  const headers = [event, ...carried(request, ['Subscription-State']), contactOf(turn, to)]
  sendInDialog(turn, to, 'NOTIFY', 'info', { headers, body: bodyOf(request), relayOf: key })
}

function carried({ headers }: SipRequest, names: readonly string[]): HeaderField[] {
  return names.flatMap((name) => {
    const value = headers.get(name)
    return value === undefined ? [] : [{ name, value }]
  })
}
