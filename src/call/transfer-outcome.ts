import type { ClientKey } from '../sip/index.ts'
import { hangUp, part, refusal } from './hangup.ts'
import type { LegId } from './model.ts'
import { notifyTransferor, patchSubscription } from './refer-subscription.ts'
import { finish } from './requests.ts'
import type { Turn } from './turn.ts'

/** A NOTIFY was answered, or never will be. That a transferor wants no more news says nothing of the call. */
export function onNotified(turn: Turn, key: ClientKey, status: number): void {
  finish(turn, key)
  const { transfer } = turn.call
  const subscription = transfer?.subscription
  if (transfer === undefined || subscription === undefined) return
  if (status >= 300) turn.update({ transfer: { ...transfer, subscription: undefined } })
  else patchSubscription(turn, { notifying: false, next: undefined })
  if (status < 300 && subscription.next !== undefined) notifyTransferor(turn, subscription.next)
  releaseTransferor(turn)
}

/**
 * The transfer came to its end.
 *
 * @param status Final status of the call to the target, as the transferor is told.
 */
export function concludeTransfer(turn: Turn, outcome: 'connected' | 'failed', status: number): void {
  const { transfer } = turn.call
  if (transfer === undefined) return
  turn.setDeadline('transfer', undefined)
  turn.update({ transfer: { ...transfer, outcome } })
  const failed = outcome === 'failed'
  turn.note('routing', failed ? `The transfer failed: ${refusal(status)}` : 'Transferred', { leg: transfer.by })
  notifyTransferor(turn, status)
  turn.emit({ kind: 'changed' })
  const alone = failed && turn.leg(transfer.by).status !== 'confirmed'
  if (alone) hangUp(turn, { status, endedBy: sideOf(transfer.by), reason: `The transfer failed: ${refusal(status)}` })
  else releaseTransferor(turn)
}

/** The outcome was told: after a good one the transferor has no part in the call any more (RFC 5589 §6.1). */
function releaseTransferor(turn: Turn): void {
  const { transfer } = turn.call
  if (transfer?.outcome === undefined || transfer.subscription?.notifying === true) return
  turn.update({ transfer: undefined })
  if (transfer.outcome === 'connected') part(turn, transfer.by, 'SIP;cause=200;text="Call transferred"')
}

function sideOf(leg: LegId): 'caller' | 'callee' {
  return leg === 'a' ? 'caller' : 'callee'
}
