import { GatewayError } from '../base/index.ts'
import type { SessionDescription } from '../sdp/index.ts'
import { dialogOfSource, type EarlySource } from './early-dialogs.ts'
import { nearLeg } from './leg-state.ts'
import { changeMedia } from './media-plan.ts'
import type { LegId } from './model.ts'
import { isAgreedReliably } from './prack.ts'
import { holdForPrack } from './reliable.ts'
import { reply, sdpBody } from './replies.ts'
import { agree, answerHere, answerTo, offerTo, ownOfferTo } from './sdp-exchange.ts'
import { startSession } from './session-timer.ts'
import type { Turn } from './turn.ts'

/** The milliwatt tone of telephone exchanges. */
const TONE_HZ = 1004

/**
 * A branch answered with `answer`: the caller gets its 200.
 *
 * @throws GatewayError `SDP_ANSWER_MISMATCH`, `SDP_NO_COMMON_CODEC`: the caller was not answered.
 */
export function answerCaller(turn: Turn, source: EarlySource, answer: SessionDescription): void {
  const { leg: id } = source
  const { offer } = turn.asked
  const { sent, theirs } = turn.leg(id).sdp
  if (sent === undefined) throw new GatewayError('INTERNAL', 'Answered without an offer')
  if (theirs === undefined || !isAgreedReliably(turn, source)) agree(turn, id, sent, answer)
  if (isSettledEarly(turn, source)) {
    connect(turn, id)
    return accept(turn, turn.leg('a').sdp.agreedEarly === true ? undefined : turn.leg('a').sdp.ours)
  }
  if (offer === undefined) return offerCaller(turn, offerTo(turn, 'a', answer))
  const ours = answerTo(turn, 'a', { offer, offered: sent, answer })
  connect(turn, id)
  accept(turn, ours)
}

/** Answers for an echo or a tone. @throws GatewayError `SDP_NO_COMMON_CODEC`: nothing was answered. */
export function answerBuiltin(turn: Turn): void {
  const { offer } = turn.asked
  if (offer === undefined) return offerCaller(turn, ownOfferTo(turn, 'a'))
  const ours = answerHere(turn, 'a', offer)
  connectBuiltin(turn)
  accept(turn, ours)
}

/** Lets the caller, or who has its place, and a branch hear each other. */
export function connect(turn: Turn, id: LegId): void {
  changeMedia(turn, { kind: 'connect', side: nearLeg(turn.call), to: { kind: 'side', side: id } })
}

export function connectBuiltin(turn: Turn): void {
  const to = turn.call.builtin === 'tone' ? { kind: 'tone' as const, frequencyHz: TONE_HZ } : { kind: 'echo' as const }
  changeMedia(turn, { kind: 'connect', side: 'a', to })
}

/** The caller wanted our offer; its answer comes in the ACK (RFC 3261 §13.2.1). */
export function offerCaller(turn: Turn, offer: SessionDescription): void {
  turn.updateLeg('a', { sdp: { ...turn.leg('a').sdp, awaitsAnswer: true } })
  accept(turn, offer)
}

/** The caller gets its 200, with SDP unless that was settled before; after the PRACK of what it was given reliably. */
export function accept(turn: Turn, sdp: SessionDescription | undefined): void {
  if (holdForPrack(turn, sdp)) return
  const { asked } = turn
  const { dialog } = turn.leg('a')
  reply(turn, asked.key, 200, { body: sdp && sdpBody(sdp) })
  turn.updateLeg('a', { status: 'accepted', dialog: dialog && { ...dialog, state: 'confirmed' } })
  turn.update({ answeredAt: turn.now })
  turn.setDeadline('ring', undefined)
  turn.setDeadline('duration', turn.now + asked.maxDurationMs)
  startSession(turn, 'a')
  if (turn.call.winner !== undefined) startSession(turn, turn.call.winner)
  turn.move('answered')
}

/**
 * Whether the caller's answer stands: settled with it reliably, or made of an SDP that the other end gave reliably and
 * that its 2xx may not change (RFC 6337 §3.1.1).
 */
function isSettledEarly(turn: Turn, source: EarlySource): boolean {
  const { localTag, sdp } = turn.leg('a')
  if (sdp.agreedEarly === true) return true
  const given = dialogOfSource(turn, source)?.tag === localTag
  return given && sdp.ours !== undefined && isAgreedReliably(turn, source)
}
