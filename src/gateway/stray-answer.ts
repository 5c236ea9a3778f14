import type { Millis } from '../base/index.ts'
import {
  ackInDialog,
  type ClientKey,
  createRequest,
  dialogFromResponse,
  type Flow,
  requestInDialog,
  type SipEndpoint,
  type SipResponse,
} from '../sip/index.ts'

/**
 * Hangs up an end of a forked INVITE that answered after its call was over (RFC 3261 §13.2.2.4): it would ring back, or
 * talk to nobody, for as long as its user waits. Both go where the answer came from. Not every response has to be one:
 * whatever else comes to a call that is over is nobody's.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`: it cannot be told.
 */
export function hangUpStray(
  endpoint: SipEndpoint,
  { key, response, flow }: { readonly key: ClientKey; readonly response: SipResponse; readonly flow: Flow },
  now: Millis,
): void {
  const { headers, status } = response
  const { method, sequence } = headers.cseq
  if (method !== 'INVITE' || status < 200 || status >= 300) return
  const from = { name: 'From', value: headers.get('From') ?? '' }
  const invite = createRequest({ method, uri: headers.to.uri, headers: [from] })
  const dialog = dialogFromResponse(invite, response)
  const target = { kind: 'flow', flow } as const
  endpoint.handle({ kind: 'ack', key, ack: ackInDialog(dialog, sequence), target }, now)
  const { request } = requestInDialog(dialog, 'BYE')
  endpoint.handle({ kind: 'request', key: `${key} ${dialog.remoteTag}`, request, target }, now)
}
