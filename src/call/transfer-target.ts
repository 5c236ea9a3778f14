import { asGatewayError, LIMITS } from '../base/index.ts'
import { parseSdp } from '../sdp/index.ts'
import type { ClientKey, SipResponse } from '../sip/index.ts'
import { mayHaveVideo, newBranch, sendInvite } from './branch.ts'
import { dropSide } from './forking.ts'
import { handOver, renegotiate } from './hand-over.ts'
import { part } from './hangup.ts'
import { dialogOf, hangUpLoser, outcomeOf } from './invite-response.ts'
import { trimmed } from './kept-request.ts'
import { isPending } from './leg-state.ts'
import { addressOf, changeMedia, mediaKinds, sideSpec } from './media-plan.ts'
import type { LegId } from './model.ts'
import { notifyTransferor } from './refer-subscription.ts'
import { willing } from './reoffer.ts'
import { acknowledge, finish } from './requests.ts'
import { agree, offerTo, ownOfferTo } from './sdp-exchange.ts'
import { takePromise } from './session-timer.ts'
import type { Sent } from './state.ts'
import { bestOutcome, mayTryNext, type Outcome, statusForCaller } from './status.ts'
import { concludeTransfer } from './transfer-outcome.ts'
import type { Turn } from './turn.ts'

/** Calls the next group of targets; each INVITE waits for its media side. @returns whether there was one. */
export function ringTargets(turn: Turn): boolean {
  const { transfer } = turn.call
  const [group, ...groups] = transfer?.groups ?? []
  if (transfer === undefined || group === undefined) return false
  const legs = group.slice(0, LIMITS.branchesPerCall).map((destination) => newBranch(turn, destination))
  turn.update({ transfer: { ...transfer, groups, targets: legs.map(({ id }) => id) } })
  const { theirs } = turn.leg(transfer.stays).sdp
  const kinds = theirs === undefined ? (['audio'] as const) : mediaKinds(theirs, mayHaveVideo(turn))
  for (const leg of legs) {
    const side = sideSpec(leg, kinds, addressOf(leg.target))
    changeMedia(turn, { kind: 'add-side', side }, { kind: 'add-target', leg: leg.id })
  }
  return true
}

/** The side of a target exists: calls it with what the transferee speaks. */
export function inviteTarget(turn: Turn, id: LegId): void {
  const { transfer } = turn.call
  if (transfer === undefined || turn.leg(id).status !== 'waiting') return
  const { stays, from, headers } = transfer
  try {
    const offer = willing(turn, stays)
    sendInvite(turn, id, offer === undefined ? ownOfferTo(turn, id) : offerTo(turn, id, offer), {
      purpose: 'transfer',
      from,
      headers,
    })
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `No offer for this leg: ${message}`, { leg: id, facts: { code } })
    targetFailed(turn, id, { status: sipStatus, told: [] })
  }
}

/** A response to the INVITE of a target. */
export function onTargetResponse(turn: Turn, key: ClientKey, sent: Sent, response: SipResponse): void {
  const { leg: id } = sent
  if (response.status < 200) return onProvisional(turn, id, response)
  finish(turn, key)
  if (response.status >= 300) return targetFailed(turn, id, outcomeOf(response))
  const dialog = dialogOf(turn, id, sent.request, response)
  if (dialog === undefined) return targetFailed(turn, id, { status: 502, told: [] })
  const open = isPending(turn.leg(id)) && turn.call.transfer?.targets.includes(id) === true
  acknowledge(turn, id, { key, dialog, response })
  turn.updateLeg(id, { dialog, invitation: trimmed(sent.request) })
  if (!open || turn.call.ending !== undefined) return hangUpLoser(turn, id)
  turn.updateLeg(id, { status: 'confirmed' })
  takePromise(turn, id, response)
  onAnswer(turn, id, response)
}

function onProvisional(turn: Turn, id: LegId, { status }: SipResponse): void {
  if (status === 100 || status === 199 || turn.leg(id).status !== 'inviting') return
  const first = turn.call.transfer?.targets.every((target) => turn.leg(target).status !== 'ringing')
  turn.updateLeg(id, { status: 'ringing' })
  if (first === true) notifyTransferor(turn, status)
}

function onAnswer(turn: Turn, id: LegId, response: SipResponse): void {
  const { transfer } = turn.call
  const { sent } = turn.leg(id).sdp
  if (transfer === undefined || sent === undefined) return
  try {
    agree(turn, id, sent, parseSdp(response.body))
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `The answer cannot be used: ${message}`, { leg: id, facts: { code } })
    part(turn, id, 'SIP;cause=488;text="Not Acceptable Here"')
    return failTarget(turn, id, { status: sipStatus === 400 ? 502 : sipStatus, told: [] })
  }
  for (const other of transfer.targets) if (other !== id) dismiss(turn, other)
  handOver(turn, transfer.by, id)
  renegotiate(turn, id)
  concludeTransfer(turn, 'connected', 200)
}

/** A target will not answer (any more). */
export function targetFailed(turn: Turn, id: LegId, outcome: Outcome): void {
  turn.updateLeg(id, { status: 'gone' })
  failTarget(turn, id, outcome)
}

function failTarget(turn: Turn, id: LegId, outcome: Outcome): void {
  dropSide(turn, id)
  const { transfer } = turn.call
  if (turn.call.ending !== undefined || transfer?.targets.includes(id) !== true) return
  const targets = transfer.targets.filter((target) => target !== id)
  const outcomes = [...transfer.outcomes, outcome]
  turn.update({ transfer: { ...transfer, targets, outcomes } })
  turn.note('routing', `Failed with ${outcome.status}`, { leg: id, facts: { status: outcome.status } })
  const best = bestOutcome(outcomes) ?? outcome
  if (outcome.status >= 600) return transferFailed(turn, statusForCaller(outcome.status))
  if (targets.length > 0 || (mayTryNext(best.status) && ringTargets(turn))) return
  transferFailed(turn, statusForCaller(best.status))
}

/** Nobody took the call: the two stay together, or the one who is left is told. */
export function transferFailed(turn: Turn, status: number): void {
  const { transfer } = turn.call
  if (transfer === undefined) return
  for (const target of transfer.targets) dismiss(turn, target)
  turn.update({ transfer: { ...transfer, targets: [], groups: [] } })
  concludeTransfer(turn, 'failed', status)
}

function dismiss(turn: Turn, id: LegId): void {
  if (!isPending(turn.leg(id))) return
  part(turn, id, 'SIP;cause=200;text="Call completed elsewhere"')
  dropSide(turn, id)
}
