import { asGatewayError } from '../base/index.ts'
import { parseSdp } from '../sdp/index.ts'
import type { SipRequest } from '../sip/index.ts'
import { connect, connectBuiltin } from './answer.ts'
import { hangUp, partAfterAck } from './hangup.ts'
import { otherLeg } from './leg-state.ts'
import type { LegId } from './model.ts'
import { relayOffer } from './reoffer.ts'
import { leavesOut, sameForOtherLeg } from './sdp-compare.ts'
import { agree } from './sdp-exchange.ts'
import type { Turn } from './turn.ts'

/** The ACK of a 2xx of ours. */
export function onAck(turn: Turn, id: LegId, ack: SipRequest): void {
  const leg = turn.leg(id)
  if (leg.unacknowledged === undefined) return
  turn.updateLeg(id, { unacknowledged: undefined })
  if (leg.status === 'parting') return partAfterAck(turn, id)
  if (leg.status === 'accepted') turn.updateLeg(id, { status: 'confirmed' })
  if (turn.call.ending !== undefined) return
  if (turn.call.phase === 'answering') {
    turn.move('acknowledged')
    if (turn.call.earlyDialogs !== undefined) turn.update({ earlyDialogs: undefined })
  }
  if (leg.sdp.awaitsAnswer === true) onAnswerInAck(turn, id, ack)
}

/** RFC 3261 §13.3.1.4: a session whose 2xx is never acknowledged is ended with BYE. */
export function onAckMissing(turn: Turn, key: string): void {
  const leg = turn.legs.find(({ unacknowledged }) => unacknowledged === key)
  if (leg === undefined) return
  turn.updateLeg(leg.id, {
    unacknowledged: undefined,
    ...(leg.status === 'accepted' && { status: 'confirmed' as const }),
  })
  if (leg.status === 'parting') return partAfterAck(turn, leg.id)
  hangUp(turn, { status: 408, endedBy: 'timer', reason: 'The answer was never acknowledged' })
}

/** We had made the offer; here is the answer, or the call cannot have media. */
function onAnswerInAck(turn: Turn, id: LegId, ack: SipRequest): void {
  const { sent, theirs: before } = turn.leg(id).sdp
  try {
    const answer = parseSdp(ack.body)
    if (sent === undefined) return
    agree(turn, id, sent, answer)
    if (turn.call.builtin !== undefined) return connectBuiltin(turn)
    const other = otherLeg(turn.call, id)
    if (other === undefined) return
    if (before === undefined) connect(turn, turn.call.winner ?? other)
    const news = before === undefined ? leavesOut(sent, answer) : !sameForOtherLeg(before, answer)
    if (news) relayOffer(turn, { from: id, offer: answer }, other)
  } catch (thrown) {
    const { code, message } = asGatewayError(thrown)
    turn.note('error', `The answer in the ACK cannot be used: ${message}`, { leg: id, facts: { code } })
    hangUp(turn, { status: 488, endedBy: 'error', reason: message })
  }
}
