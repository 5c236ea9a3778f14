import { asGatewayError } from '../base/index.ts'
import { parseSdp, type SessionDescription } from '../sdp/index.ts'
import type { SipResponse } from '../sip/index.ts'
import { connect } from './answer.ts'
import {
  dialogOfSource,
  type EarlyDialog,
  type EarlySource,
  furtherDialog,
  show,
  shownDialog,
  takesSeveral,
  updateEarly,
} from './early-dialogs.ts'
import { isPending } from './leg-state.ts'
import type { LegId } from './model.ts'
import { provide } from './reliable.ts'
import { sameContent } from './sdp-compare.ts'
import { agree, answerAside, answerTo, offerTo } from './sdp-exchange.ts'
import type { Turn } from './turn.ts'

/** Tells the caller that a branch rings, with what it may already hear. 199 (RFC 6228) is not for callers. */
export function ringCaller(turn: Turn, id: LegId, response: SipResponse): void {
  const { status } = response
  const source = { leg: id, remoteTag: response.headers.toTag ?? '' }
  const sdp = earlySdp(turn, source, response)
  if (status === 199 || (sdp === undefined && status === turn.call.rang)) return
  turn.update({ rang: status })
  turn.updateLeg('a', { status: 'ringing' })
  provide(turn, dialogOfSource(turn, source)?.tag ?? turn.leg('a').localTag, status, sdp)
  turn.emit({ kind: 'changed' })
}

/** The end that the caller heard is gone: lets it hear another one that has something to say. */
export function hearAnother(turn: Turn): void {
  const next = turn.call.earlyDialogs?.find(({ source }) => source !== undefined && isPending(turn.leg(source.leg)))
  if (next?.source === undefined || next.answer === undefined || turn.call.early !== undefined) return
  show(turn, next.tag)
  const { ours, theirs } = turn.leg('a').sdp
  if (ours === undefined || theirs === undefined) return
  agreeWith(turn, next.source, next.answer)
  agree(turn, 'a', ours, theirs, 'peer')
  hear(turn, next.source.leg)
}

/** Makes the caller's leg show the early dialog that belongs to the end that answered (RFC 3261 §13.2.2.4). */
export function showWinner(turn: Turn, source: EarlySource): void {
  const known = dialogOfSource(turn, source)
  if (known !== undefined) return show(turn, known.tag)
  const { source: shown } = shownDialog(turn)
  const further = shown === undefined ? undefined : furtherDialog(turn)
  if (further !== undefined) show(turn, further.tag)
}

/** Makes the dialog of a forked end the one of its leg. What was agreed with another end is not agreed with this one. */
export function showFork(turn: Turn, { leg: id, remoteTag }: EarlySource): void {
  const { dialog, forks, sdp } = turn.leg(id)
  const fork = forks?.[remoteTag]
  if (dialog === undefined || fork === undefined || dialog.remoteTag === remoteTag) return
  const { [remoteTag]: _, ...others } = forks ?? {}
  turn.updateLeg(id, {
    dialog: fork,
    forks: { ...others, [dialog.remoteTag]: dialog },
    sdp: { ...sdp, ours: undefined, theirs: undefined },
  })
}

/**
 * What the caller gets of the SDP in a provisional response, if it is news: for each end that sends one an answer in an
 * early dialog of its own. The first one keeps the caller's ear; a later 180 without SDP changes nothing.
 */
function earlySdp(turn: Turn, source: EarlySource, response: SipResponse): SessionDescription | undefined {
  const { offer, reliable } = turn.asked
  const wanted = turn.deps.config.earlyMedia === 'connect' && (offer !== undefined || reliable === 'required')
  if (!wanted || response.body === '' || response.headers.contentType !== 'application/sdp') return undefined
  try {
    const answer = parseSdp(response.body)
    const known = dialogOfSource(turn, source)
    if (turn.leg(source.leg).sdp.sent === undefined || turn.leg('a').sdp.awaitsAnswer === true) return undefined
    if (known?.answer !== undefined && sameContent(known.answer, answer)) return undefined
    const early = known ?? freeDialog(turn)
    return early && giveTo(turn, early, source, answer)
  } catch (thrown) {
    const { code, message } = asGatewayError(thrown)
    turn.note('error', `Early media cannot be used: ${message}`, { leg: source.leg, facts: { code } })
    return undefined
  }
}

/** Where the SDP of a further end goes: the shown dialog as long as nobody is heard in it. */
function freeDialog(turn: Turn): EarlyDialog | undefined {
  const shown = shownDialog(turn)
  if (shown.source === undefined) return shown
  if (takesSeveral(turn)) return furtherDialog(turn)
  return turn.call.early === undefined ? shown : undefined
}

function giveTo(
  turn: Turn,
  { tag }: EarlyDialog,
  source: EarlySource,
  answer: SessionDescription,
): SessionDescription | undefined {
  const { offer } = turn.asked
  const offered = turn.leg(source.leg).sdp.sent
  const before = turn.leg('a').localTag
  if (offered === undefined) return undefined
  const aside = turn.call.early !== undefined && tag !== before
  show(turn, tag)
  try {
    if (!aside) agreeWith(turn, source, answer)
    const sdp =
      offer === undefined
        ? offerEarly(turn, answer)
        : (aside ? answerAside : answerTo)(turn, 'a', { offer, offered, answer })
    updateEarly(turn, tag, { source, answer })
    if (!aside) hear(turn, source.leg)
    return sdp
  } finally {
    if (aside) show(turn, before)
  }
}

/** The caller wanted our offer and takes it in a reliable response; its answer comes in the PRACK (RFC 3262 §5). */
function offerEarly(turn: Turn, answer: SessionDescription): SessionDescription {
  const offer = offerTo(turn, 'a', answer)
  turn.updateLeg('a', { sdp: { ...turn.leg('a').sdp, awaitsAnswer: true } })
  return offer
}

function agreeWith(turn: Turn, source: EarlySource, answer: SessionDescription): void {
  const { sent } = turn.leg(source.leg).sdp
  if (sent === undefined) return
  showFork(turn, source)
  agree(turn, source.leg, sent, answer)
}

function hear(turn: Turn, id: LegId): void {
  if (turn.leg('a').sdp.awaitsAnswer !== true) connect(turn, id)
  turn.update({ early: id })
  turn.note('media', 'Early media', { leg: id })
}
