import type { ByteString } from '../base/index.ts'
import { type Flow, isReliable, type SendTarget } from './flow.ts'
import { canonicalHost } from './message/ip-address.ts'
import type { SipRequest } from './message/model.ts'
import { findParam, parseParams, writeParams } from './message/params.ts'
import type { ViaSpan } from './message/via.ts'

const DEFAULT_PORT = 5060

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
 * A `maddr` is not followed: any stranger names one, and we would be a reflector against that host or a whole
 * multicast group.
 */
export function responseTarget(via: ViaSpan, flow: Flow): SendTarget {
  if (isReliable(flow.transport)) return { kind: 'flow', flow }
  const port = via.sentBy.port ?? DEFAULT_PORT
  const asksPort = findParam(via.text, via.sentBy.end, 'rport') !== undefined
  if (asksPort || port === flow.remote.port) return { kind: 'flow', flow }
  return { kind: 'address', transport: 'udp', to: { host: flow.remote.host, port } }
}
