import type { ByteString } from '../../base/index.ts'
import { type Body, createRequest } from '../message/create.ts'
import type { HeaderField, NameAddr, SipMessage, SipRequest, SipResponse } from '../message/model.ts'
import { parseNameAddr, writeNameAddr } from '../message/name-addr.ts'
import { malformed } from '../message/syntax.ts'
import { parseUri, writeUri } from '../message/uri.ts'

/** A dialog (RFC 3261 §12) as plain data. */
export interface Dialog {
  readonly callId: ByteString
  readonly localTag: ByteString
  /** '' if the peer is of RFC 2543 and gave none. */
  readonly remoteTag: ByteString
  /** From and To as name-addr text without tag. */
  readonly localUri: ByteString
  readonly remoteUri: ByteString
  /** URI of the peer's Contact. */
  readonly remoteTarget: ByteString
  /** name-addr texts in the order in which requests visit them. */
  readonly routeSet: readonly ByteString[]
  /** CSeq number of our last request; 0 before the first. */
  readonly localSequence: number
  readonly remoteSequence?: number | undefined
  readonly secure: boolean
  readonly state: 'early' | 'confirmed'
}

export interface InDialogParts {
  readonly headers?: readonly HeaderField[] | undefined
  readonly body?: Body | undefined
  /** Value of Contact. */
  readonly contact?: ByteString | undefined
}

/** The UAS's dialog, RFC 3261 §12.1.1. @throws GatewayError `SIP_MALFORMED_MESSAGE`: no usable Contact. */
export function dialogFromRequest(request: SipRequest, localTag: ByteString, state: Dialog['state']): Dialog {
  const { headers } = request
  const remoteTarget = contactOf(request)
  if (remoteTarget === undefined) throw malformed(`The ${request.method} has no Contact`)
  return {
    callId: headers.callId,
    localTag,
    remoteTag: headers.fromTag ?? '',
    localUri: withoutTag(headers.to),
    remoteUri: withoutTag(headers.from),
    remoteTarget,
    routeSet: headers.values('Record-Route'),
    localSequence: 0,
    remoteSequence: headers.cseq.sequence,
    secure: isSecure(request.uri),
    state,
  }
}

/**
 * The UAC's dialog, RFC 3261 §12.1.2. Of a response without Contact, which some peers send, the Request-URI is the
 * remote target.
 *
 * @param request What we sent; only its From and Request-URI are read.
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function dialogFromResponse(request: SipRequest, response: SipResponse): Dialog {
  const { headers } = response
  return {
    callId: headers.callId,
    localTag: request.headers.fromTag ?? '',
    remoteTag: headers.toTag ?? '',
    localUri: withoutTag(request.headers.from),
    remoteUri: withoutTag(headers.to),
    remoteTarget: contactOf(response) ?? request.uri,
    routeSet: [...headers.values('Record-Route')].reverse(),
    localSequence: headers.cseq.sequence,
    secure: isSecure(request.uri),
    state: response.status < 200 ? 'early' : 'confirmed',
  }
}

/** A request inside the dialog, RFC 3261 §12.2.1.1; the returned dialog has counted it. */
export function requestInDialog(
  dialog: Dialog,
  method: string,
  parts: InDialogParts = {},
): { readonly dialog: Dialog; readonly request: SipRequest } {
  const counted = { ...dialog, localSequence: dialog.localSequence + 1 }
  return { dialog: counted, request: build(counted, method, counted.localSequence, parts) }
}

/** The ACK of a 2xx to the INVITE with that CSeq number, RFC 3261 §13.2.2.4. */
export function ackInDialog(dialog: Dialog, inviteSequence: number, parts: InDialogParts = {}): SipRequest {
  return build(dialog, 'ACK', inviteSequence, parts)
}

function build(dialog: Dialog, method: string, sequence: number, parts: InDialogParts): SipRequest {
  const { uri, routes } = routing(dialog)
  const headers: HeaderField[] = [
    ...routes.map((value) => ({ name: 'Route', value })),
    { name: 'From', value: tagged(dialog.localUri, dialog.localTag) },
    { name: 'To', value: tagged(dialog.remoteUri, dialog.remoteTag) },
    { name: 'Call-ID', value: dialog.callId },
    { name: 'CSeq', value: `${sequence} ${method}` },
  ]
  if (parts.contact !== undefined) headers.push({ name: 'Contact', value: parts.contact })
  if (parts.headers !== undefined) headers.push(...parts.headers)
  return createRequest({ method, uri, headers, body: parts.body })
}

/** Request-URI and Route lines; a first hop without `lr` routes strictly (RFC 3261 §12.2.1.1, §16.12.1.2). */
function routing(dialog: Dialog): { readonly uri: ByteString; readonly routes: readonly ByteString[] } {
  const [first, ...rest] = dialog.routeSet
  if (first === undefined || isLoose(first)) return { uri: dialog.remoteTarget, routes: dialog.routeSet }
  const uri = writeUri({ ...parseUri(parseNameAddr(first).uri), headers: '' })
  return { uri, routes: [...rest, `<${dialog.remoteTarget}>`] }
}

function isLoose(route: ByteString): boolean {
  return parseUri(parseNameAddr(route).uri).params.has('lr')
}

/**
 * Checks the order of a request that came in (RFC 3261 §12.2.2) and remembers its place. ACK has the number of its
 * INVITE and is never out of order.
 */
export function acceptInDialog(
  dialog: Dialog,
  request: SipRequest,
): { readonly kind: 'ok'; readonly dialog: Dialog } | { readonly kind: 'refuse'; readonly status: number } {
  if (request.method === 'ACK') return { kind: 'ok', dialog }
  const { sequence } = request.headers.cseq
  if (dialog.remoteSequence !== undefined && sequence < dialog.remoteSequence) return { kind: 'refuse', status: 500 }
  return { kind: 'ok', dialog: { ...dialog, remoteSequence: sequence } }
}

/** After a target refresh (INVITE, UPDATE and their 2xx): the peer's new Contact, if it has one. */
export function refreshTarget(dialog: Dialog, message: SipMessage): Dialog {
  const remoteTarget = contactOf(message)
  return remoteTarget === undefined ? dialog : { ...dialog, remoteTarget }
}

/** Where requests of the dialog go first: the top of the route set, else the remote target. */
export function nextHopUri(dialog: Dialog): ByteString {
  const [first] = dialog.routeSet
  return first === undefined ? dialog.remoteTarget : parseNameAddr(first).uri
}

/** Usable as Request-URI: readable, and without the headers that only a Contact may have (RFC 3261 §19.1.1). */
function contactOf(message: SipMessage): ByteString | undefined {
  const { contacts } = message.headers
  if (contacts === '*') return undefined
  const [first] = contacts
  if (first === undefined) return undefined
  const { headers } = parseUri(first.uri)
  return headers === '' ? first.uri : first.uri.slice(0, first.uri.indexOf('?'))
}

function withoutTag(address: NameAddr): ByteString {
  const params = new Map(address.params)
  params.delete('tag')
  return writeNameAddr({ ...address, params })
}

function tagged(address: ByteString, tag: ByteString): ByteString {
  return tag === '' ? address : `${address};tag=${tag}`
}

function isSecure(uri: ByteString): boolean {
  return uri.slice(0, 5).toLowerCase() === 'sips:'
}
