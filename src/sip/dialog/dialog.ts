import { type ByteString, GatewayError } from '../../base/index.ts'
import type { SendTarget } from '../flow.ts'
import type { Body } from '../message/create.ts'
import type { HeaderField, SipMessage, SipRequest, SipResponse, SipUri } from '../message/model.ts'

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
export function dialogFromRequest(_request: SipRequest, _localTag: ByteString, _state: Dialog['state']): Dialog {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** The UAC's dialog, RFC 3261 §12.1.2. @throws GatewayError `SIP_MALFORMED_MESSAGE`: no usable Contact. */
export function dialogFromResponse(_request: SipRequest, _response: SipResponse): Dialog {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** A request inside the dialog, RFC 3261 §12.2.1.1; the returned dialog has counted it. */
export function requestInDialog(
  _dialog: Dialog,
  _method: string,
  _parts: InDialogParts = {},
): { readonly dialog: Dialog; readonly request: SipRequest } {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** The ACK of a 2xx to the INVITE with that CSeq number, RFC 3261 §13.2.2.4. */
export function ackInDialog(_dialog: Dialog, _inviteSequence: number, _parts: InDialogParts = {}): SipRequest {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** Checks the order of a request that came in (RFC 3261 §12.2.2). */
export function acceptInDialog(
  _dialog: Dialog,
  _request: SipRequest,
): { readonly kind: 'ok'; readonly dialog: Dialog } | { readonly kind: 'refuse'; readonly status: number } {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** After a target refresh (INVITE, UPDATE and their 2xx): the peer's new Contact, if it has one. */
export function refreshTarget(_dialog: Dialog, _message: SipMessage): Dialog {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** Where requests of the dialog go first: the top of the route set, else the remote target. */
export function nextHopUri(_dialog: Dialog): ByteString {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** The address in a URI: `transport`, `maddr`, default port; UDP (TLS for sips) if it names no transport. */
export function targetOf(_uri: SipUri | ByteString): SendTarget {
  throw new GatewayError('INTERNAL', 'not there yet')
}
