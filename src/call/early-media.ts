import { asGatewayError } from '../base/index.ts'
import { parseSdp, type SessionDescription } from '../sdp/index.ts'
import type { SipResponse } from '../sip/index.ts'
import { connect } from './answer.ts'
import type { LegId } from './model.ts'
import { reply, sdpBody } from './replies.ts'
import { sameContent } from './sdp-compare.ts'
import { agree, answerTo } from './sdp-exchange.ts'
import type { Turn } from './turn.ts'

/** Tells the caller that a branch rings, with what it may already hear. 199 (RFC 6228) is not for callers. */
export function ringCaller(turn: Turn, id: LegId, response: SipResponse): void {
  const { status } = response
  const sdp = earlyAnswer(turn, id, response)
  if (status === 199 || (sdp === undefined && status === turn.call.rang)) return
  turn.update({ rang: status })
  turn.updateLeg('a', { status: 'ringing' })
  reply(turn, turn.asked.key, status, sdp === undefined ? {} : { body: sdpBody(sdp) })
  turn.emit({ kind: 'changed' })
}

/**
 * The caller's answer made of the SDP in a provisional response, if it is news. The first branch that sends one keeps
 * the caller's ear; a later 180 without SDP changes nothing.
 */
function earlyAnswer(turn: Turn, id: LegId, response: SipResponse): SessionDescription | undefined {
  const { early = id } = turn.call
  const { offer } = turn.asked
  const wanted = turn.deps.config.earlyMedia === 'connect' && early === id && offer !== undefined
  if (!wanted || response.body === '' || response.headers.contentType !== 'application/sdp') return undefined
  const { sent, theirs } = turn.leg(id).sdp
  try {
    const answer = parseSdp(response.body)
    if (sent === undefined || (theirs !== undefined && sameContent(theirs, answer))) return undefined
    agree(turn, id, sent, answer)
    const ours = answerTo(turn, 'a', { offer, offered: sent, answer })
    connect(turn, id)
    turn.update({ early: id })
    turn.note('media', 'Early media', { leg: id })
    return ours
  } catch (thrown) {
    const { code, message } = asGatewayError(thrown)
    turn.note('error', `Early media cannot be used: ${message}`, { leg: id, facts: { code } })
    return undefined
  }
}
