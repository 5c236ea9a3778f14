import { type SessionDescription, writeSdp } from '../sdp/index.ts'
import {
  ALLOW_IN_CALL,
  type Body,
  type HeaderField,
  type OwnAddress,
  ownAddressFor,
  replyTo,
  type SendTarget,
  type ServerKey,
  type SipRequest,
  SUPPORTED_IN_CALL,
} from '../sip/index.ts'
import { keepForReply, restore } from './kept-request.ts'
import type { LegId } from './model.ts'
import { agreedSession } from './session-timer.ts'
import type { Turn } from './turn.ts'

export interface ReplyParts {
  readonly headers?: readonly HeaderField[] | undefined
  readonly body?: Body | undefined
  /** Our tag, where it is not that of the leg: the INVITE of a caller makes a dialog for each end that rings. */
  readonly toTag?: string | undefined
}

/** From now on `key` waits for a final answer of ours. */
export function awaitReply(turn: Turn, leg: LegId, key: ServerKey, request: SipRequest): void {
  turn.update({ waiting: [...turn.call.waiting, { key, leg, request: keepForReply(request) }] })
}

/** Answers a request that waits. A final answer ends the wait; an answer to nothing is not sent. */
export function reply(turn: Turn, key: ServerKey, status: number, parts: ReplyParts = {}): void {
  const waiting = turn.waiting(key)
  if (waiting === undefined) return
  const { method } = waiting.request
  const leg = turn.leg(waiting.leg)
  const response = replyTo(restore(waiting.request), status, {
    toTag: parts.toTag ?? leg.localTag,
    headers: [...ownHeaders(turn, waiting.leg, method, status), ...(parts.headers ?? [])],
    body: parts.body,
  })
  turn.emit({ kind: 'respond', leg: waiting.leg, key, response })
  if (status < 200) return
  turn.update({ waiting: turn.call.waiting.filter((other) => other !== waiting) })
  if (method === 'INVITE' && status < 300) turn.updateLeg(waiting.leg, { unacknowledged: key })
}

function ownHeaders(turn: Turn, id: LegId, method: string, status: number): HeaderField[] {
  const headers: HeaderField[] = []
  const success = status >= 200 && status < 300
  const refreshes = method === 'INVITE' || method === 'UPDATE'
  if (refreshes && status > 100 && status < 300) headers.push(contactOf(turn, id))
  if (success && refreshes) headers.push(...agreedSession(turn.leg(id)))
  const tellsAll = success && (method === 'INVITE' || method === 'OPTIONS') // RFC 3261 §13.3.1.4, §11.2.
  if (status === 405 || tellsAll) headers.push(ALLOW_IN_CALL)
  if (tellsAll) headers.push(SUPPORTED_IN_CALL)
  return headers
}

/** Our own Contact toward a leg; nothing of the other leg is in it. */
export function contactOf(turn: Turn, id: LegId): HeaderField {
  const { transport, target, flow } = turn.leg(id)
  const { contactFor, own } = turn.deps.config
  const chosen = own && ownContact(flow === undefined ? target : { kind: 'flow', flow }, own)
  const uri = chosen ?? contactFor[transport] ?? Object.values(contactFor)[0] ?? 'sip:invalid'
  return { name: 'Contact', value: `<${transport === 'tls' && isAskedSecurely(turn, id) ? secured(uri) : uri}>` }
}

/** RFC 3261 §12.1.1: whoever is called by `sips:`, or calls so, gets such a Contact. */
function isAskedSecurely(turn: Turn, id: LegId): boolean {
  const uri = turn.leg(id).destination?.uri ?? turn.call.asked?.to ?? ''
  return uri.startsWith('sips:')
}

function secured(uri: string): string {
  return uri.replace(/^sip:/, 'sips:').replace(/;transport=tls$/, '')
}

/** Of several listeners the one that this peer reaches. */
export function ownContact(target: SendTarget, own: readonly OwnAddress[]): string | undefined {
  const address = ownAddressFor(target, own)
  if (address === undefined) return undefined
  const { transport, advertised } = address
  const host = advertised.host.includes(':') ? `[${advertised.host}]` : advertised.host
  return `sip:${host}:${advertised.port}${transport === 'udp' ? '' : `;transport=${transport}`}`
}

/** An SDP as a body. */
export function sdpBody(sdp: SessionDescription): Body {
  return { type: 'application/sdp', content: writeSdp(sdp) }
}
