import type { ServerKey, SipRequest } from '../sip/index.ts'
import { hangUp } from './hangup.ts'
import { abandonReoffer } from './reoffer.ts'
import { refuseReplacement } from './replacement.ts'
import type { Turn } from './turn.ts'

/** CANCEL. One that comes after our final answer changes nothing (RFC 3261 §9.2). */
export function onCancelled(turn: Turn, key: ServerKey, request: SipRequest): void {
  if (turn.waiting(key) === undefined) return
  if (turn.call.reoffer?.key === key) return abandonReoffer(turn, 487)
  if (turn.call.replacement?.key === key) return refuseReplacement(turn, turn.call.replacement.leg, 487)
  if (key !== turn.asked.key) return
  hangUp(turn, {
    status: 487,
    endedBy: 'caller',
    reason: 'Cancelled by the caller',
    reasonHeader: request.headers.get('Reason'),
  })
}

/** A browser whose connection closes can neither cancel nor hear an answer: nobody is to pick up for it. */
export function onCallerGone(turn: Turn): void {
  if (turn.call.answeredAt !== undefined) return
  hangUp(turn, { status: 487, endedBy: 'caller', reason: 'The connection of the caller closed' })
}
