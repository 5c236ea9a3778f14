import type { ByteString } from '../base/index.ts'
import { type Flow, isReliable, type SendTarget } from './flow.ts'
import { canonicalHost } from './message/ip-address.ts'
import type { SipRequest } from './message/model.ts'
import { findParam, parseParams, writeParams } from './message/params.ts'
import type { ViaSpan } from './message/via.ts'

const DEFAULT_PORT = 5060
const DEFAULT_TLS_PORT = 5061

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
  if (isReliable(flow.transport)) return overStream(via, flow)
  const port = via.sentBy.port ?? DEFAULT_PORT
  const asksPort = findParam(via.text, via.sentBy.end, 'rport') !== undefined
  if (asksPort || port === flow.remote.port) return { kind: 'flow', flow }
  return { kind: 'address', transport: 'udp', to: { host: flow.remote.host, port } }
}

/**
 * The connection of the request; if that is gone, a new one to where the request came from, at the port its Via names
 * (RFC 3261 §18.2.2). A browser cannot be connected to.
 */
function overStream({ sentBy }: ViaSpan, flow: Flow): SendTarget {
  const { transport, remote } = flow
  if (transport !== 'tcp' && transport !== 'tls') return { kind: 'flow', flow }
  const to = { host: remote.host, port: sentBy.port ?? (transport === 'tls' ? DEFAULT_TLS_PORT : DEFAULT_PORT) }
  const secure = transport === 'tls' ? { secure: { domain: sentBy.host } } : {}
  return { kind: 'flow', flow, otherwise: { kind: 'address', transport, to, ...secure } }
}

/** The port that a peer with a certificate wants its connection to stand for (RFC 5923 §8.2); mostly none. */
export function aliasPort({ text, sentBy }: ViaSpan, flow: Flow): number | undefined {
  if (flow.transport !== 'tls' || flow.identities === undefined) return undefined
  if (findParam(text, sentBy.end, 'alias') === undefined) return undefined
  return sentBy.port ?? DEFAULT_TLS_PORT
}
