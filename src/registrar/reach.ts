import { type Flow, isReliable, parseUri, type SendTarget, type SipRequest, targetOf } from '../sip/index.ts'
import type { Binding, ReachableContact } from './model.ts'

/**
 * How to ring a contact: a browser, a phone behind NAT or one behind proxies by the way it came, since nothing else
 * leads there; a phone that is reached directly where its Contact says.
 */
export function reach(binding: Binding): ReachableContact {
  const { uri, flow, path } = binding
  return { uri, target: targetFor(binding), profile: isWebSocket(flow) ? 'webrtc' : 'rtp', path }
}

function targetFor({ flow, path, address, isFlowClosed }: Binding): SendTarget {
  const byFlow: SendTarget = { kind: 'flow', flow }
  if (address === undefined || path.length > 0) return byFlow
  return isReliable(flow.transport) && !isFlowClosed ? byFlow : address
}

/**
 * The address of a Contact, if requests may be sent there: the host that the REGISTER came from, whose Via shows no NAT.
 * Any other host would let a user aim our requests at others. `undefined`: only the flow leads there.
 */
export function trustedAddress(contact: string, request: SipRequest, flow: Flow): SendTarget | undefined {
  if (isWebSocket(flow) || flow.transport === 'tls') return undefined
  const uri = parseUri(contact)
  const transport = uri.params.get('transport')?.toLowerCase() ?? 'udp'
  if (uri.scheme !== 'sip' || uri.host !== flow.remote.host || uri.params.has('maddr')) return undefined
  if (transport !== 'udp' && transport !== 'tcp') return undefined
  const { host, port = 5_060 } = request.headers.topVia
  const isDirect = host === flow.remote.host && (isReliable(flow.transport) || port === flow.remote.port)
  if (!isDirect) return undefined
  const target = targetOf(uri)
  return isFlowsOwn(target, flow) ? { kind: 'flow', flow } : target
}

/** UDP from the same port: the flow is the same, and has our own port too. */
function isFlowsOwn(target: SendTarget, { transport, remote }: Flow): boolean {
  return (
    transport === 'udp' && target.kind === 'address' && target.transport === 'udp' && target.to.port === remote.port
  )
}

/** Such a connection is its browser's only way. */
export function isWebSocket({ transport }: Flow): boolean {
  return transport === 'ws' || transport === 'wss'
}
