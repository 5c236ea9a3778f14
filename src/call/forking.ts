import { addSides, invite, nextGroup, openSession } from './branch.ts'
import { hearAnother } from './early-media.ts'
import { type Cause, hangUp, part, refusal } from './hangup.ts'
import { isCallee, isPending, type Leg } from './leg-state.ts'
import { locateNext, takeLocated, targetText } from './locating.ts'
import { changeMedia } from './media-plan.ts'
import type { CallEvent, LegId } from './model.ts'
import { abandonReoffer } from './reoffer.ts'
import { bestOutcome, mayTryNext, type Outcome, statusForCaller } from './status.ts'
import type { Turn } from './turn.ts'

const ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'

/** Calls every branch whose side exists. */
export function inviteWaiting(turn: Turn): void {
  for (const { id } of turn.legs) {
    // A branch before it may have ended the call.
    if (isCallee(id) && turn.leg(id).status === 'waiting') inviteBranch(turn, id)
  }
}

export function inviteBranch(turn: Turn, id: LegId): void {
  const failed = invite(turn, id)
  if (failed !== undefined) branchFailed(turn, id, { status: failed, told: [] })
}

/** A branch will not answer (any more). When it was the last of its group, something else has to happen. */
export function branchFailed(turn: Turn, id: LegId, outcome: Outcome): void {
  const wasGivenUp = turn.leg(id).status === 'cancelling' // The call went on without it.
  turn.updateLeg(id, { status: 'gone' })
  if (wasGivenUp) return
  const { reoffer } = turn.call
  if (reoffer?.to === id || reoffer?.from === id) abandonReoffer(turn, 500)
  dropSide(turn, id)
  if (turn.call.ending !== undefined || turn.call.winner !== undefined) return
  turn.setDeadline('silence', undefined)
  addOutcome(turn, outcome)
  turn.note('routing', `Failed with ${outcome.status}`, { leg: id, facts: { status: outcome.status } })
  turn.emit({ kind: 'changed' })
  if (outcome.status >= 600) return hangUp(turn, refusedBy(outcome)) // Counts for all (RFC 3261 §16.7 step 5).
  if (!turn.legs.some(isOpen)) return groupFailed(turn, outcome)
  hearAnother(turn)
}

/** Others are called instead of this branch. */
export function replaceBranch(turn: Turn, id: LegId): void {
  turn.updateLeg(id, { status: 'gone' })
  dropSide(turn, id)
}

/** CANCEL to every branch that still rings, but the one that answered (RFC 3261 §16.7 step 10). */
export function cancelOthers(turn: Turn, winner: LegId): void {
  for (const leg of turn.legs) {
    if (!isCallee(leg.id) || leg.id === winner || !isPending(leg)) continue
    part(turn, leg.id, ELSEWHERE)
    dropSide(turn, leg.id)
  }
}

/** The caller no longer wants this branch. */
export function dismissBranch(turn: Turn, id: LegId): void {
  if (!isPending(turn.leg(id))) return
  part(turn, id)
  dropSide(turn, id)
  if (!turn.legs.some(isOpen)) return hangUp(turn, { status: 487, endedBy: 'caller', reason: 'The caller hung up' })
  hearAnother(turn)
}

/** Nobody answered in time: 408 if no peer even rang, else 480. */
export function ringTimeout(turn: Turn): void {
  const rang = turn.legs.some((leg) => isCallee(leg.id) && leg.status === 'ringing')
  const status = rang ? 480 : 408
  hangUp(turn, { status, endedBy: 'timer', reason: 'No answer in time' })
}

/**
 * The target said nothing, not even 100: it counts as gone (RFC 3263 §4.3). An INVITE that it got nevertheless is cancelled
 * as soon as it shows (RFC 3261 §9.1).
 */
export function targetSilent(turn: Turn): void {
  const leg = turn.legs.find(({ id, status }) => isCallee(id) && status === 'inviting')
  if (leg?.inviteKey === undefined) return
  turn.note('routing', 'No sign of life', { leg: leg.id, facts: { target: targetText(leg.target) } })
  turn.emit({ kind: 'silent', key: leg.inviteKey })
  part(turn, leg.id, 'SIP;cause=408;text="No answer in time"')
  dropSide(turn, leg.id)
  groupFailed(turn, addOutcome(turn, { status: 408, told: [] }))
}

/** The servers of a domain are known, or that there are none. */
export function onLocated(turn: Turn, event: CallEvent & { readonly kind: 'located' }): void {
  if (turn.call.ending !== undefined || turn.call.winner !== undefined || turn.legs.some(isOpen)) return
  const isFound = takeLocated(turn, event)
  if (isFound === true) callNextGroup(turn)
  // RFC 3261 §8.1.3.1: what cannot be sent counts as 503.
  if (isFound === false) groupFailed(turn, addOutcome(turn, { status: 503, told: [] }))
}

/** Calls the next group: finds its servers if it is a domain, and makes its sides, in the session if there is one. */
export function callNextGroup(turn: Turn): void {
  if (locateNext(turn)) return
  const legs = nextGroup(turn)
  if (turn.call.media.status === 'none') openSession(turn, legs)
  else addSides(turn, legs)
}

/** Starts the time a group may ring. */
export function startRinging(turn: Turn): void {
  turn.setDeadline('ring', turn.now + turn.asked.ringTimeoutMs)
}

/** Whether any branch may still answer. */
export function rings({ legs }: Turn): boolean {
  return legs.some(isOpen)
}

function isOpen(leg: Leg): boolean {
  return isCallee(leg.id) && isPending(leg)
}

function groupFailed(turn: Turn, last: Outcome): void {
  const best = bestOutcome(turn.call.outcomes) ?? last
  if (mayTryNext(best.status) && tryNextGroup(turn)) return
  hangUp(turn, refusedBy(best))
}

function addOutcome(turn: Turn, outcome: Outcome): Outcome {
  turn.update({ outcomes: [...turn.call.outcomes, outcome] })
  return outcome
}

function tryNextGroup(turn: Turn): boolean {
  if (turn.call.groups.length === 0) return false
  turn.update({ early: undefined })
  if (turn.call.phase === 'ringing') turn.move('next-group')
  turn.note('routing', 'Trying the next target')
  startRinging(turn)
  callNextGroup(turn)
  return true
}

function refusedBy({ status, told }: Outcome): Cause {
  const final = statusForCaller(status)
  return { status: final, endedBy: 'callee', reason: refusal(final), headers: told }
}

/** The engine forgets the side of a leg. */
export function dropSide(turn: Turn, id: LegId): void {
  if (turn.call.media.local[id] === undefined) return
  if (turn.call.early === id) turn.update({ early: undefined })
  const { [id]: _, ...local } = turn.call.media.local
  turn.update({ media: { ...turn.call.media, local } })
  changeMedia(turn, { kind: 'drop-side', side: id }, { kind: 'drop' })
}
