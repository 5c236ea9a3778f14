import {
  ackInDialog,
  type Body,
  type ClientKey,
  type Dialog,
  type HeaderField,
  nextHopUri,
  requestInDialog,
  type SendTarget,
  type SipRequest,
  type SipResponse,
  targetOf,
  withTlsProfile,
} from '../sip/index.ts'
import { keep, restore } from './kept-request.ts'
import type { Leg } from './leg-state.ts'
import { isLoop } from './loop.ts'
import type { CallEffect, LegId } from './model.ts'
import { contactOf } from './replies.ts'
import type { Sent } from './state.ts'
import type { Turn } from './turn.ts'

/** Starts a client transaction and remembers that its answer is owed to us. */
export function send(
  turn: Turn,
  id: LegId,
  request: SipRequest,
  target: SendTarget,
  about: Pick<Sent, 'purpose'> & Partial<Omit<Sent, 'key'>>,
): ClientKey {
  const key = `${turn.call.id}:${turn.count('client')}`
  const sent: Sent = { key, leg: id, request: keep(request), target, authorized: false, ...about }
  turn.update({ sent: [...turn.call.sent, sent] })
  turn.emit({ kind: 'request', leg: id, key, request, target, ...credentials(turn.leg(id), sent) })
  return key
}

/** The transaction `key` ended. Returns what it was; `undefined` for one that is not ours or ended before. */
export function finish(turn: Turn, key: ClientKey): Sent | undefined {
  const sent = turn.sent(key)
  if (sent !== undefined) turn.update({ sent: turn.call.sent.filter((other) => other !== sent) })
  return sent
}

/** Sends a challenged request again with the next CSeq (RFC 3261 §22.2). Returns the key of the new transaction. */
export function sendAgain(turn: Turn, key: ClientKey, authorization: HeaderField): ClientKey | undefined {
  const sent = finish(turn, key)
  return sent && resend(turn, { ...sent, authorized: true }, [...sent.request.fields, authorization])
}

/** Sends a refused request again with the next CSeq and other header lines. Returns the key of the new transaction. */
export function resend(turn: Turn, sent: Sent, changed: readonly HeaderField[]): ClientKey {
  const request = restore(sent.request)
  const { dialog } = turn.leg(sent.leg)
  const sequence = Math.max(request.headers.cseq.sequence, dialog?.localSequence ?? 0) + 1
  const fields = changed.map((field) =>
    field.name === 'CSeq' ? { name: 'CSeq', value: `${sequence} ${request.method}` } : field,
  )
  const again = restore({ ...sent.request, fields })
  if (dialog !== undefined) turn.updateLeg(sent.leg, { dialog: { ...dialog, localSequence: sequence } })
  const { purpose, relayOf, authorized, raised } = sent
  return send(turn, sent.leg, again, sent.target, { purpose, relayOf, authorized, raised })
}

export interface InDialogParts {
  readonly headers?: readonly HeaderField[]
  readonly body?: Body | undefined
  readonly relayOf?: Sent['relayOf']
}

/** Sends a request inside the dialog of a leg. `undefined`: it has no dialog. */
export function sendInDialog(
  turn: Turn,
  id: LegId,
  method: string,
  purpose: Sent['purpose'],
  parts: InDialogParts = {},
): ClientKey | undefined {
  const leg = turn.leg(id)
  if (leg.dialog === undefined) return undefined
  const { request, dialog } = requestInDialog(leg.dialog, method, {
    headers: parts.headers,
    body: parts.body,
    contact: method === 'INVITE' || method === 'UPDATE' ? contactOf(turn, id).value : undefined,
  })
  turn.updateLeg(id, { dialog })
  return send(turn, id, request, targetInDialog(leg, dialog), { purpose, relayOf: parts.relayOf })
}

interface Acknowledged {
  readonly key: ClientKey
  readonly dialog: Dialog
  readonly response: SipResponse
  /** The answer to an offer in the 2xx. */
  readonly body?: Body | undefined
}

/** Acknowledges a 2xx of the INVITE `key` (RFC 3261 §13.2.2.4). */
export function acknowledge(turn: Turn, id: LegId, { key, dialog, response, body }: Acknowledged): void {
  const ack = ackInDialog(dialog, response.headers.cseq.sequence, { body })
  turn.emit({ kind: 'ack', leg: id, key, ack, target: targetInDialog(turn.leg(id), dialog) })
}

/**
 * Where requests inside a dialog go. A user's are sent over the flow we heard from last: addresses of browsers cannot
 * be called (RFC 7118 §5), and those of phones behind a NAT are not what they say.
 */
export function targetInDialog(leg: Leg, dialog: Dialog): SendTarget {
  if (leg.flow !== undefined && (leg.party.kind === 'user' || isLoop(leg.flow))) return { kind: 'flow', flow: leg.flow }
  const target = targetOf(nextHopUri(dialog))
  return leg.party.kind === 'trunk' ? withTlsProfile(target, `${leg.party.tenant}/${leg.party.trunk}`) : target
}

/** Only a trunk's own challenge is answered with a trunk's credentials, and only once for each request. */
function credentials({ party }: Leg, { authorized }: Sent): Pick<CallEffect & { kind: 'request' }, 'credentialsOf'> {
  if (party.kind !== 'trunk' || authorized) return {}
  return { credentialsOf: { tenant: party.tenant, trunk: party.trunk } }
}
