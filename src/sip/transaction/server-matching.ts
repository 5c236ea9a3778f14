import type { SipRequest } from '../message/model.ts'
import { MAGIC_COOKIE } from './outgoing.ts'

/**
 * The name of the server transaction a request belongs to (RFC 3261 §17.2.3). ACK and CANCEL are to be asked for with
 * the method of the request they are about.
 */
export function transactionId(request: SipRequest, method = request.method): string {
  const { headers } = request
  const { branch, sentBy, text } = headers.viaSpan
  if (branch?.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length) {
    return `${branch}|${sentBy.host}:${sentBy.port ?? ''}|${method}`
  }
  // RFC 2543 peers have no branch of worth: everything that a repetition has in common.
  const { sequence } = headers.cseq
  return `|${request.uri}|${headers.fromTag ?? ''}|${headers.callId}|${sequence}|${method}|${text}`
}

/**
 * What requests have in common that came from one sending along several ways (RFC 3261 §8.2.2.2), and an INVITE with the
 * ACK of its 2xx (§13.2.2.4).
 */
export function sequenceId(request: SipRequest, method = request.method): string {
  const { headers } = request
  return `${headers.callId}|${headers.fromTag ?? ''}|${headers.cseq.sequence}|${method}`
}
