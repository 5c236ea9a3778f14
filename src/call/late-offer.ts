import { askedDirection, type Direction, type SessionDescription } from '../sdp/index.ts'
import { accept, connect, offerCaller } from './answer.ts'
import type { LegId } from './model.ts'
import { answerHere, answerWithin, offerTo } from './sdp-exchange.ts'
import type { Turn } from './turn.ts'

/**
 * A callee that was invited without an offer made its own (RFC 3261 §13.2.1). What it gets in the ACK: all that the
 * caller's offer has in common with it.
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC`, `SDP_UNSUPPORTED`: nothing was changed.
 */
export function answerLate(turn: Turn, id: LegId, offer: SessionDescription): SessionDescription {
  const { offer: callers } = turn.asked
  if (callers === undefined) return answerHere(turn, id, offer)
  return answerWithin(turn, id, offer, { of: callers, willing: wish(callers) })
}

/**
 * The caller's part of it: an answer with what was agreed with the callee; to a caller without an offer as well, an
 * offer made of the callee's.
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC`, `SDP_UNSUPPORTED`: the caller was not answered.
 */
export function answerCallerLate(turn: Turn, id: LegId, offer: SessionDescription, agreed: SessionDescription): void {
  const { offer: callers } = turn.asked
  if (callers === undefined) return offerCaller(turn, offerTo(turn, 'a', offer))
  const ours = answerWithin(turn, 'a', callers, { of: agreed, willing: wish(offer) })
  connect(turn, id)
  accept(turn, ours)
}

/** What the other side of the call does, we do for it. */
function wish({ media }: SessionDescription): Direction {
  const audio = media.find(({ kind, port }) => kind === 'audio' && port !== 0)
  return audio === undefined ? 'sendrecv' : askedDirection(audio)
}
