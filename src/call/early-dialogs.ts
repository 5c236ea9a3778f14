import { GatewayError, LIMITS } from '../base/index.ts'
import type { SessionDescription } from '../sdp/index.ts'
import type { Dialog, SipRequest } from '../sip/index.ts'
import { restore } from './kept-request.ts'
import type { LegSdp } from './leg-state.ts'
import type { LegId } from './model.ts'
import type { Unacknowledged, Waiting18x } from './reliable.ts'
import type { Turn } from './turn.ts'

/** One end that rings: a branch, and which of the ends behind it (RFC 3261 §12.1.2: the To tag of its response). */
export interface EarlySource {
  readonly leg: LegId
  readonly remoteTag: string
}

/**
 * An early dialog with the caller, known to it by our tag. There is more than one when several ends rang with SDP: each
 * gave another answer to the caller's offer, and two answers cannot stand in one dialog (RFC 6337 §3.1.1).
 */
export interface EarlyDialog {
  readonly tag: string
  /** Whose SDP the caller was given in it. */
  readonly source?: EarlySource | undefined
  /** That SDP as it came. */
  readonly answer?: SessionDescription | undefined
  /** What else makes the caller's leg, while another early dialog is the one that the leg shows. */
  readonly aside?: { readonly dialog: Dialog | undefined; readonly sdp: LegSdp } | undefined
  /** RSeq of the last reliable response; absent before the first (RFC 3262 §3). */
  readonly rseq?: number | undefined
  readonly unacknowledged?: Unacknowledged | undefined
  /** The next one, which waits for the PRACK of that. */
  readonly next?: Waiting18x | undefined
  /** The 2xx that waits for that PRACK. */
  readonly held?: { readonly sdp: SessionDescription | undefined } | undefined
}

/** The early dialog with that tag of ours; one that says nothing more than its tag if nothing had to be kept. */
export function earlyDialog(turn: Turn, tag: string): EarlyDialog {
  return turn.call.earlyDialogs?.find((each) => each.tag === tag) ?? { tag }
}

/** The early dialog that the caller's leg shows. */
export function shownDialog(turn: Turn): EarlyDialog {
  return earlyDialog(turn, turn.leg('a').localTag)
}

export function updateEarly(turn: Turn, tag: string, patch: Partial<EarlyDialog>): void {
  const changed = { ...earlyDialog(turn, tag), ...patch }
  const others = (turn.call.earlyDialogs ?? []).filter((each) => each.tag !== tag)
  turn.update({ earlyDialogs: [...others, changed] })
}

/** The early dialog in which the caller was given the SDP of that end. */
export function dialogOfSource(turn: Turn, source: EarlySource): EarlyDialog | undefined {
  return turn.call.earlyDialogs?.find((each) => each.source !== undefined && sameSource(each.source, source))
}

export function sameSource(a: EarlySource, b: EarlySource): boolean {
  return a.leg === b.leg && a.remoteTag === b.remoteTag
}

/**
 * A further early dialog with the caller, aside of the shown one. `undefined`: there are enough, or the caller is a
 * browser, which can take one answer only (its offer makes one transport).
 */
export function furtherDialog(turn: Turn): EarlyDialog | undefined {
  const { earlyDialogs = [] } = turn.call
  if (!takesSeveral(turn) || earlyDialogs.length >= LIMITS.earlyDialogsPerCall) return undefined
  const leg = turn.leg('a')
  const tag = turn.deps.ids.token()
  const dialog = leg.dialog && {
    ...leg.dialog,
    localTag: tag,
    localSequence: 0,
    remoteSequence: inviteSequence(turn),
  }
  const { sessionId } = leg.sdp
  const early = { tag, aside: { dialog, sdp: { sessionId, version: 0 } } }
  turn.update({ earlyDialogs: [...earlyDialogs, early] })
  turn.emit({ kind: 'dialog', leg: 'a', sipCallId: leg.sipCallId, localTag: tag })
  return early
}

/** Makes the caller's leg show that early dialog. What it showed before is kept aside. */
export function show(turn: Turn, tag: string): void {
  const { localTag, dialog, sdp } = turn.leg('a')
  if (localTag === tag) return
  const { aside } = earlyDialog(turn, tag)
  if (aside === undefined) throw new GatewayError('INTERNAL', 'There is no such early dialog')
  updateEarly(turn, localTag, { aside: { dialog, sdp } })
  updateEarly(turn, tag, { aside: undefined })
  turn.updateLeg('a', { localTag: tag, ...aside })
}

/** A browser whose 18x are unreliable goes on in its one dialog: stock clients give up a call that forks. */
export function takesSeveral(turn: Turn): boolean {
  return turn.leg('a').profile === 'rtp' || turn.asked.reliable !== undefined
}

/** CSeq number of the caller's INVITE, until it has its final answer. */
export function inviteSequence(turn: Turn): number | undefined {
  const waiting = turn.waiting(turn.asked.key)
  return waiting && restore(waiting.request).headers.cseq.sequence
}

/**
 * The dialog of a leg that a request of its peer belongs to; while an INVITE forks there are several. `undefined`: none
 * that is still known.
 */
export function dialogWith(turn: Turn, id: LegId, { headers }: SipRequest): Dialog | undefined {
  const { localTag, dialog, forks } = turn.leg(id)
  if (id === 'a') return headers.toTag === localTag ? dialog : earlyDialog(turn, headers.toTag ?? '').aside?.dialog
  const remoteTag = headers.fromTag ?? ''
  return dialog === undefined || dialog.remoteTag === remoteTag ? dialog : forks?.[remoteTag]
}

/** Keeps what `dialogWith` found, changed. */
export function keepDialog(turn: Turn, id: LegId, dialog: Dialog): void {
  const { localTag, dialog: shown, forks } = turn.leg(id)
  if (id !== 'a') {
    if (shown === undefined || shown.remoteTag === dialog.remoteTag) turn.updateLeg(id, { dialog })
    else turn.updateLeg(id, { forks: { ...forks, [dialog.remoteTag]: dialog } })
    return
  }
  if (dialog.localTag === localTag) return turn.updateLeg('a', { dialog })
  const { aside } = earlyDialog(turn, dialog.localTag)
  if (aside !== undefined) updateEarly(turn, dialog.localTag, { aside: { ...aside, dialog } })
}
