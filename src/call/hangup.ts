import { asGatewayError } from '../base/index.ts'
import { type HeaderField, reasonPhrase } from '../sip/index.ts'
import { isPending, type Leg } from './leg-state.ts'
import { closeMedia } from './media-plan.ts'
import type { LegId } from './model.ts'
import { abandonTransfer } from './refer-subscription.ts'
import { reply } from './replies.ts'
import { sendInDialog } from './requests.ts'
import type { Ending } from './state.ts'
import type { Turn } from './turn.ts'

/** An ending call that still owes something after this long is given up. Longer than any transaction may take. */
const ENDING_MS = 160_000

/** Why a call ends, and what the peers are told besides. */
export interface Cause extends Omit<Ending, 'at'> {
  /** For the caller, if it still waits for an answer: `Retry-After`, `Warning`, … */
  readonly headers?: readonly HeaderField[]
  /** `Reason` of our BYE and CANCEL (RFC 3326). Default: from status and reason. */
  readonly reasonHeader?: string | undefined
}

/** Ends the call toward everybody. What is owed then is settled in phase `ending`. Does nothing if it ends already. */
export function hangUp(turn: Turn, cause: Cause): void {
  if (turn.call.ending !== undefined) return
  const { status, endedBy, reason } = cause
  const { reoffer } = turn.call
  if (reoffer?.client !== undefined) turn.emit({ kind: 'cancel', key: reoffer.client })
  abandonTransfer(turn)
  turn.update({ ending: { status, endedBy, reason, at: turn.now }, reoffer: undefined, deadlines: {} })
  turn.setDeadline('ending', turn.now + ENDING_MS)
  turn.note('state', `Ends: ${reason}`, { facts: { status, endedBy } })
  turn.move('hungup')
  refuseWaiting(turn, cause)
  const why = cause.reasonHeader ?? reasonHeader(status, reason)
  for (const { id } of turn.legs) part(turn, id, why)
  closeMedia(turn)
}

/** Ends one leg in the way its state asks for. */
export function part(turn: Turn, id: LegId, reason?: string): void {
  const leg = turn.leg(id)
  const headers = reason === undefined ? [] : [{ name: 'Reason', value: reason }]
  if (isPending(leg) && id !== 'a') return cancel(turn, leg, headers)
  // RFC 3261 §15: no BYE on a dialog we answered before its ACK is here.
  if (leg.status === 'accepted') return turn.updateLeg(id, { status: 'parting' })
  if (leg.status !== 'confirmed') return
  turn.updateLeg(id, { status: sayBye(turn, id, headers) ? 'leaving' : 'gone' })
}

/** Whether the peer can be told. One whose Contact or route leads nowhere must not keep the others in the call. */
function sayBye(turn: Turn, id: LegId, headers: readonly HeaderField[]): boolean {
  try {
    return sendInDialog(turn, id, 'BYE', 'bye', { headers }) !== undefined
  } catch (thrown) {
    const { code, message } = asGatewayError(thrown)
    turn.note('error', `No BYE can be sent: ${message}`, { leg: id, facts: { code } })
    return false
  }
}

/** The leg that answered is acknowledged at last, or never: its delayed BYE goes out. */
export function partAfterAck(turn: Turn, id: LegId): void {
  if (turn.leg(id).status !== 'parting') return
  const { ending } = turn.call
  turn.updateLeg(id, { status: 'confirmed' })
  part(turn, id, ending && reasonHeader(ending.status, ending.reason))
}

/** `SIP;cause=486;text="Busy Here"` (RFC 3326). */
export function reasonHeader(status: number, text: string): string {
  return `SIP;cause=${status};text="${text.replace(/[^\x20-\x7e]|["\\]/g, ' ')}"`
}

function cancel(turn: Turn, leg: Leg, headers: readonly HeaderField[]): void {
  if (leg.status === 'waiting' || leg.inviteKey === undefined) return turn.updateLeg(leg.id, { status: 'gone' })
  turn.updateLeg(leg.id, { status: 'cancelling' })
  turn.emit({ kind: 'cancel', key: leg.inviteKey, headers })
}

/** Requests that wait get their final answer: the INVITE of the call its outcome, others 487 (RFC 3261 §15.1.2). */
function refuseWaiting(turn: Turn, { status, headers }: Cause): void {
  for (const { key, leg } of turn.call.waiting) {
    const first = leg === 'a' && key === turn.leg('a').inviteKey
    const final = first && status >= 300 ? status : 487
    reply(turn, key, final, first && headers !== undefined ? { headers } : {})
    if (first) turn.updateLeg('a', { status: 'gone' })
  }
}

/** Reason text of a refusal. */
export function refusal(status: number): string {
  return `${status} ${reasonPhrase(status)}`
}
