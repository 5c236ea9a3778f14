import { asGatewayError } from '../base/index.ts'
import { type HeaderField, reasonPhrase } from '../sip/index.ts'
import { contactOf } from './replies.ts'
import { sendInDialog } from './requests.ts'
import type { ReferSubscription } from './transfer-state.ts'
import type { Turn } from './turn.ts'

/** Tells the transferor how the call to the target goes (RFC 3515 §2.4.4), as soon as it has heard the last news. */
export function notifyTransferor(turn: Turn, status: number): void {
  const { transfer } = turn.call
  const subscription = transfer?.subscription
  if (transfer === undefined || subscription === undefined) return
  if (subscription.notifying) return patchSubscription(turn, { next: status })
  const sent = sendNotify(turn, status)
  if (sent) return patchSubscription(turn, { notifying: true, next: undefined })
  turn.update({ transfer: { ...transfer, subscription: undefined } })
}

/** The call ends before the transfer: the transferor is told so. */
export function abandonTransfer(turn: Turn): void {
  const { transfer } = turn.call
  if (transfer === undefined) return
  if (transfer.outcome === undefined && transfer.subscription !== undefined) sendNotify(turn, 487)
  turn.update({ transfer: undefined })
}

function sendNotify(turn: Turn, status: number): boolean {
  const { transfer } = turn.call
  if (transfer?.subscription === undefined) return false
  const { by, subscription } = transfer
  const body = { type: 'message/sipfrag;version=2.0', content: `SIP/2.0 ${status} ${reasonPhrase(status)}\r\n` }
  try {
    const headers = [...headersOf(turn, subscription, status), contactOf(turn, by)]
    return sendInDialog(turn, by, 'NOTIFY', 'notify', { headers, body }) !== undefined
  } catch (thrown) {
    const { code, message } = asGatewayError(thrown)
    turn.note('error', `No NOTIFY can be sent: ${message}`, { leg: by, facts: { code } })
    return false
  }
}

function headersOf(turn: Turn, { event, expiresAt }: ReferSubscription, status: number): HeaderField[] {
  const seconds = Math.max(1, Math.ceil((expiresAt - turn.now) / 1_000))
  const state = status < 200 ? `active;expires=${seconds}` : 'terminated;reason=noresource'
  return [
    { name: 'Event', value: event },
    { name: 'Subscription-State', value: state },
  ]
}

/** Changes the subscription, if it still is. */
export function patchSubscription(turn: Turn, change: Partial<ReferSubscription>): void {
  const { transfer } = turn.call
  if (transfer?.subscription === undefined) return
  turn.update({ transfer: { ...transfer, subscription: { ...transfer.subscription, ...change } } })
}
