import { asGatewayError, type Millis } from '../base/index.ts'
import { parseSdp, type SessionDescription } from '../sdp/index.ts'
import { ALLOW_IN_CALL, type ServerKey, type SipRequest } from '../sip/index.ts'
import { accept, connect } from './answer.ts'
import { earlyDialog, inviteSequence, shownDialog, updateEarly } from './early-dialogs.ts'
import { hangUp } from './hangup.ts'
import { reply, sdpBody } from './replies.ts'
import { agree, answerAgain } from './sdp-exchange.ts'
import type { Turn } from './turn.ts'

/** RFC 3261 §17.1.1.1, in ms: the first interval at which a reliable provisional response is repeated. */
const T1_MS = 500

const MAX_FIRST_RSEQ = 0x7fff_ffff

/** A provisional response that the caller has to be told. */
export interface Waiting18x {
  readonly status: number
  readonly sdp?: SessionDescription | undefined
}

/** A reliable provisional response without its PRACK (RFC 3262 §3). */
export interface Unacknowledged extends Waiting18x {
  /** When the caller is given up, and how long until the next repetition after the one that is due. */
  readonly giveUpAt: Millis
  readonly intervalMs: Millis
}

/** Tells the caller that somebody rings, in the early dialog `tag`: reliably if it can take that (RFC 3262 §3). */
export function provide(turn: Turn, tag: string, status: number, sdp?: SessionDescription): void {
  const { reliable, key, offer } = turn.asked
  // Without an offer the first reliable response has to carry ours (RFC 3261 §13.2.1), and there is none yet.
  if (offer === undefined && reliable === 'required' && sdp === undefined) return
  if (reliable === undefined || (offer === undefined && sdp === undefined)) {
    return reply(turn, key, status, { toTag: tag, body: sdp && sdpBody(sdp) })
  }
  const { unacknowledged, next } = earlyDialog(turn, tag)
  if (unacknowledged === undefined) return provideReliably(turn, tag, { status, sdp })
  updateEarly(turn, tag, { next: { status, sdp: sdp ?? next?.sdp } }) // One at a time, RFC 3262 §3.
}

/** The time of a repetition has come, or 64·T1 are over. */
export function repeatReliably(turn: Turn, tag: string): void {
  const { unacknowledged } = earlyDialog(turn, tag)
  if (unacknowledged === undefined) return
  if (turn.now >= unacknowledged.giveUpAt) {
    return hangUp(turn, { status: 504, endedBy: 'caller', reason: 'A reliable response was never acknowledged' })
  }
  const intervalMs = 2 * unacknowledged.intervalMs
  updateEarly(turn, tag, { unacknowledged: { ...unacknowledged, intervalMs } })
  emitReliably(turn, tag)
}

/** PRACK on the caller's leg. */
export function onPrack(turn: Turn, key: ServerKey, request: SipRequest): void {
  const tag = request.headers.toTag ?? ''
  const early = earlyDialog(turn, tag)
  const { unacknowledged, next, held } = early
  if (!acknowledges(turn, request, early.rseq)) return reply(turn, key, 481)
  // Crossed our 2xx, which is no matter where no SDP waited for it (RFC 3262 §3).
  if (unacknowledged === undefined) return reply(turn, key, turn.leg('a').status === 'accepted' ? 200 : 481)
  stopRepeating(turn, tag)
  takeBody(turn, key, request, unacknowledged)
  updateEarly(turn, tag, { next: undefined, held: undefined })
  if (held !== undefined) return accept(turn, turn.leg('a').sdp.agreedEarly === true ? undefined : held.sdp)
  if (next !== undefined && turn.call.ending === undefined) provideReliably(turn, tag, next)
}

/**
 * Whether the 2xx has to wait: the SDP of a reliable response is not acknowledged (RFC 3262 §3). It is then sent with
 * the PRACK. Of what carries no SDP the repetition ends with the 2xx.
 */
export function holdForPrack(turn: Turn, sdp: SessionDescription | undefined): boolean {
  const { tag, unacknowledged } = shownDialog(turn)
  if (unacknowledged?.sdp !== undefined) {
    updateEarly(turn, tag, { held: { sdp } })
    return true
  }
  for (const early of turn.call.earlyDialogs ?? []) stopRepeating(turn, early.tag)
  return false
}

function provideReliably(turn: Turn, tag: string, what: Waiting18x): void {
  const { rseq } = earlyDialog(turn, tag)
  updateEarly(turn, tag, {
    rseq: rseq === undefined ? firstRSeq(turn) : rseq + 1,
    next: undefined,
    unacknowledged: { ...what, giveUpAt: turn.now + 64 * T1_MS, intervalMs: T1_MS },
  })
  emitReliably(turn, tag)
}

function emitReliably(turn: Turn, tag: string): void {
  const { rseq, unacknowledged } = earlyDialog(turn, tag)
  if (unacknowledged === undefined) return
  const { status, sdp, intervalMs, giveUpAt } = unacknowledged
  turn.setDeadline(deadlineOf(tag), Math.min(turn.now + intervalMs, giveUpAt))
  reply(turn, turn.asked.key, status, {
    toTag: tag,
    headers: [
      { name: 'Require', value: '100rel' },
      { name: 'RSeq', value: String(rseq) },
      ALLOW_IN_CALL, // So that the caller may send UPDATE before the answer (RFC 3311 §5.1).
    ],
    body: sdp && sdpBody(sdp),
  })
}

function stopRepeating(turn: Turn, tag: string): void {
  if (earlyDialog(turn, tag).unacknowledged === undefined) return
  updateEarly(turn, tag, { unacknowledged: undefined })
  turn.setDeadline(deadlineOf(tag), undefined)
}

/** `RAck: 776656 1 INVITE` (RFC 3262 §7.2). */
function acknowledges(turn: Turn, request: SipRequest, rseq: number | undefined): boolean {
  const match = /^(\d+)\s+(\d+)\s+(\S+)$/.exec(request.headers.get('RAck') ?? '')
  if (match === null) return false
  const [, response, sequence, method] = match
  const ours = inviteSequence(turn)
  return Number(response) === rseq && (ours === undefined || Number(sequence) === ours) && method === 'INVITE'
}

/** Answers the PRACK. Its body is the answer to an offer in our response, or an offer of its own (RFC 3262 §5). */
function takeBody(turn: Turn, key: ServerKey, request: SipRequest, acknowledged: Unacknowledged): void {
  const tag = request.headers.toTag ?? ''
  const answers = acknowledged.sdp !== undefined && turn.leg('a').sdp.awaitsAnswer === true
  try {
    if (answers) takeAnswer(turn, parseSdp(request.body))
    if (acknowledged.sdp !== undefined) markAgreed(turn, tag)
    if (answers || request.body === '') return reply(turn, key, 200)
    if (tag !== turn.leg('a').localTag) return reply(turn, key, 488)
    reply(turn, key, 200, { body: sdpBody(answerAgain(turn, 'a', parseSdp(request.body))) })
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `The SDP in the PRACK cannot be used: ${message}`, { leg: 'a', facts: { code } })
    reply(turn, key, sipStatus)
    if (answers) hangUp(turn, { status: 488, endedBy: 'error', reason: message })
  }
}

/** We had offered in a reliable response, made out of what a branch lets hear. */
function takeAnswer(turn: Turn, answer: SessionDescription): void {
  const { sent } = turn.leg('a').sdp
  const { early } = turn.call
  if (sent === undefined || early === undefined) return
  agree(turn, 'a', sent, answer)
  connect(turn, early)
}

/** Offer and answer of that early dialog are settled: nothing later in this INVITE's answers may change them. */
function markAgreed(turn: Turn, tag: string): void {
  const leg = turn.leg('a')
  if (leg.localTag === tag) return turn.updateLeg('a', { sdp: { ...leg.sdp, agreedEarly: true } })
  const { aside } = earlyDialog(turn, tag)
  if (aside !== undefined) updateEarly(turn, tag, { aside: { ...aside, sdp: { ...aside.sdp, agreedEarly: true } } })
}

/** Drawn from 1 to 2^31-1 (RFC 3262 §3). */
function firstRSeq(turn: Turn): number {
  return 1 + (Number.parseInt(turn.deps.ids.token(40).slice(0, 7), 36) % MAX_FIRST_RSEQ)
}

export function deadlineOf(tag: string): string {
  return `prack:${tag}`
}
