import { LIMITS } from '../base/index.ts'
import { requestInDialog, type SipResponse } from '../sip/index.ts'
import type { EarlySource } from './early-dialogs.ts'
import { send, targetInDialog } from './requests.ts'
import { takesUpdate } from './session-timer.ts'
import type { Turn } from './turn.ts'

/** Whether a provisional response is to be acknowledged with PRACK (RFC 3262 §4). */
export function isReliablyTold({ headers }: SipResponse): boolean {
  return headers.has('RSeq') && headers.values('Require').some((tag) => tag.toLowerCase() === '100rel')
}

/**
 * Acknowledges a reliable provisional response. Returns whether it is news: not a repetition, nor one that came before
 * an earlier one (RFC 3262 §4: those are dropped, the peer repeats them).
 */
export function acknowledgeReliably(turn: Turn, { leg: id, remoteTag }: EarlySource, response: SipResponse): boolean {
  const rseq = Number(response.headers.get('RSeq'))
  const { reliable = {}, dialog: shown, forks } = turn.leg(id)
  const told = reliable[remoteTag]
  const dialog = shown?.remoteTag === remoteTag ? shown : forks?.[remoteTag]
  if (dialog === undefined || !Number.isInteger(rseq)) return false
  if (told === undefined ? Object.keys(reliable).length >= LIMITS.earlyDialogsPerCall : rseq !== told.rseq + 1) {
    return false
  }
  const { sequence, method } = response.headers.cseq
  const rack = { name: 'RAck', value: `${rseq} ${sequence} ${method}` }
  const { request, dialog: counted } = requestInDialog(dialog, 'PRACK', { headers: [rack] })
  const agreed = told?.agreed === true || response.body !== ''
  turn.updateLeg(id, {
    reliable: { ...reliable, [remoteTag]: { rseq, agreed } },
    updates: takesUpdate(response, turn.leg(id)),
    ...(dialog === shown ? { dialog: counted } : { forks: { ...forks, [remoteTag]: counted } }),
  })
  send(turn, id, request, targetInDialog(turn.leg(id), counted), { purpose: 'prack' })
  return true
}

/** The SDP of that end stands, whatever its 2xx says (RFC 6337 §3.1.1). */
export function isAgreedReliably(turn: Turn, { leg, remoteTag }: EarlySource): boolean {
  return turn.leg(leg).reliable?.[remoteTag]?.agreed === true
}
