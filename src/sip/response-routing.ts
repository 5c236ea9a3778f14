import type { ByteString } from '../base/index.ts'
import { type Flow, isReliable, type SendTarget } from './flow.ts'
import { canonicalHost } from './message/ip-address.ts'
import type { SipRequest } from './message/model.ts'
import { findParam, parseParams, writeParams } from './message/params.ts'
import type { ViaSpan } from './message/via.ts'

const DEFAULT_PORT = 5060
/** 224.0.0.0/4. */
const MULTICAST = /^(?:22[4-9]|23\d)(?:\.\d{1,3}){3}$/

/**
 * The request as it really came: `received` where the sender's address is not the one it named (RFC 3261 §18.2.1), and
 * `rport` filled in if asked for (RFC 3581 §4).
 */
export function stampSource(request: SipRequest, flow: Flow): SipRequest {
  const via = request.headers.viaSpan
  const stamped = stampedVia(via, flow)
  return stamped === via.text ? request : { ...request, headers: request.headers.withTopVia(stamped) }
}

function stampedVia(via: ViaSpan, flow: Flow): ByteString {
  const { text, sentBy } = via
  const asksPort = findParam(text, sentBy.end, 'rport') !== undefined
  const names = findParam(text, sentBy.end, 'received') !== undefined
  if (!asksPort && !names && sameHost(sentBy.host, flow.remote.host)) return text
  const params = new Map(parseParams(text, sentBy.end))
  params.delete('received') // What the sender says of its own address is worth nothing.
  if (asksPort) params.set('rport', String(flow.remote.port))
  if (asksPort || !sameHost(sentBy.host, flow.remote.host)) params.set('received', flow.remote.host)
  return text.slice(0, sentBy.end).trimEnd() + writeParams(params)
}

function sameHost(a: string, b: string): boolean {
  return a === b || canonicalHost(a) === canonicalHost(b)
}

/**
 * Where responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4): its Via and the flow it came over tell.
 *
 * A `maddr` counts only where it is what it was made for, a multicast group (§18.1.1): any other would make us a
 * reflector against whatever host a stranger names.
 */
export function responseTarget(via: ViaSpan, flow: Flow): SendTarget {
  if (isReliable(flow.transport)) return { kind: 'flow', flow }
  const port = via.sentBy.port ?? DEFAULT_PORT
  const maddr = findParam(via.text, via.sentBy.end, 'maddr')
  if (maddr && MULTICAST.test(maddr)) return { kind: 'address', transport: 'udp', to: { host: maddr, port } }
  const asksPort = findParam(via.text, via.sentBy.end, 'rport') !== undefined
  if (asksPort || port === flow.remote.port) return { kind: 'flow', flow }
  return { kind: 'address', transport: 'udp', to: { host: flow.remote.host, port } }
}
