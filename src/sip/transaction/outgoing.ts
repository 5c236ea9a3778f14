import type { ByteString } from '../../base/index.ts'
import type { SipEndpointOptions } from '../endpoint-model.ts'
import type { HostPort, SendTarget } from '../flow.ts'
import { createRequest } from '../message/create.ts'
import { Headers } from '../message/headers.ts'
import { bracketed } from '../message/ip-address.ts'
import type { HeaderField, SipRequest, SipResponse } from '../message/model.ts'
import { ownAddressFor } from '../own-addresses.ts'
import { type TransactionContext, transportOf } from './context.ts'

/** Marks branches of RFC 3261 elements (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK'

const MAX_FORWARDS: HeaderField = { name: 'Max-Forwards', value: '70' }

/** Nobody can reach us at this name; where no address is known (RFC 7118 §5.2.1). */
const UNREACHABLE: HostPort = { host: 'trunkline.invalid', port: 5060 }

/** The user's request with what the endpoint adds: Via, and Max-Forwards and User-Agent if they are missing. */
export function complete(
  request: SipRequest,
  branch: string,
  target: SendTarget,
  { options }: TransactionContext,
): SipRequest {
  const { headers } = request
  const fields: HeaderField[] = [{ name: 'Via', value: viaOf(branch, target, options) }]
  if (!headers.has('Max-Forwards')) fields.push(MAX_FORWARDS)
  fields.push(...headers.fields())
  if (!headers.has('User-Agent')) fields.push({ name: 'User-Agent', value: options.product })
  return { ...request, headers: Headers.of(fields) }
}

function viaOf(branch: string, target: SendTarget, { sentBy, own, aliases }: SipEndpointOptions): ByteString {
  const transport = transportOf(target)
  const chosen = own === undefined ? undefined : ownAddressFor(target, own)?.advertised
  const { host, port } = chosen ?? sentBy[transport] ?? Object.values(sentBy)[0] ?? UNREACHABLE
  const more = transport === 'udp' ? ';rport' : transport === 'tls' && aliases ? ';alias' : ''
  return `SIP/2.0/${transport.toUpperCase()} ${bracketed(host)}:${port};branch=${branch}${more}`
}

/** The CANCEL of a request (RFC 3261 §9.1): same branch, so it has to be built from what was sent. */
export function cancelOf(invite: SipRequest, extra: readonly HeaderField[]): SipRequest {
  return hopByHop(invite, 'CANCEL', headerOf(invite, 'To'), extra)
}

/** The ACK of a failure response (RFC 3261 §17.1.1.3). */
export function ackOf(invite: SipRequest, response: SipResponse): SipRequest {
  return hopByHop(invite, 'ACK', headerOf(response, 'To'), [])
}

function hopByHop(invite: SipRequest, method: string, to: HeaderField, extra: readonly HeaderField[]): SipRequest {
  const routes = invite.headers.fields().filter(({ name }) => name === 'Route')
  const headers = [
    { name: 'Via', value: invite.headers.viaSpan.text },
    MAX_FORWARDS,
    ...routes,
    headerOf(invite, 'From'),
    to,
    headerOf(invite, 'Call-ID'),
    { name: 'CSeq', value: `${invite.headers.cseq.sequence} ${method}` },
    ...extra,
  ]
  return createRequest({ method, uri: invite.uri, headers })
}

function headerOf(message: SipRequest | SipResponse, name: string): HeaderField {
  return { name, value: message.headers.get(name) ?? '' }
}
