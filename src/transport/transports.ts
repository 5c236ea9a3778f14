import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { LIMITS } from '../base/index.ts'
import { type AddressTarget, type HostPort, type OwnAddress, ownAddressFor, type SendTarget } from '../sip/index.ts'
import { createConnectionTable } from './connections.ts'
import { createDialer } from './dialer.ts'
import type { BoundAddress, Sending, TransportHandler, TransportLimits, TransportOptions } from './model.ts'
import { ownAddresses } from './own-addresses.ts'
import { ipLiteral, resolve } from './resolve.ts'
import type { StreamContext } from './stream.ts'
import { openTcp, type StreamListener } from './tcp.ts'
import { openTls } from './tls/listen.ts'
import { openUdp, type UdpListener } from './udp.ts'
import { createWebSocketTransport } from './websocket.ts'

/** Every socket SIP goes through. */
export interface Transports extends Sending {
  /** Addresses really bound, in the order of `listen`. */
  readonly addresses: readonly BoundAddress[]
  /** The same, with what peers are told of them. */
  readonly own: readonly OwnAddress[]
  /** Open TCP, TLS and WebSocket connections. */
  readonly connections: number
  /** Requests to that port of the peer's address may go over its connection from now on (RFC 5923 §8). */
  alias(flowId: string, port: number): void
  /** Takes an HTTP upgrade request as a SIP WebSocket, or refuses it. */
  acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Lets what is written leave, then closes everything. */
  close(): Promise<void>
}

const DEFAULTS: TransportLimits = {
  connections: LIMITS.connections,
  connectionsPerAddress: LIMITS.connectionsPerAddress,
  connectionIdleMs: LIMITS.connectionIdleMs,
  webSocketIdleMs: 600_000,
  sendBufferBytes: LIMITS.connectionSendBufferBytes,
  messageBytes: LIMITS.sipMessageBytes,
  connectTimeoutMs: 4_000,
  tlsHandshakes: LIMITS.tlsHandshakes,
  tlsHandshakeMs: LIMITS.tlsHandshakeMs,
  partialMessageMs: 10_000,
  tcpQuietMs: 3_600_000,
  pingMs: 20_000,
}

/** How often connections are asked whether they broke one of their times, in ms. */
const CHECK_MS = 1_000

/**
 * Opens every listener.
 *
 * @throws GatewayError `LISTEN_FAILED`: one address cannot be listened on; nothing stays open.
 */
export async function openTransports(options: TransportOptions, handler: TransportHandler): Promise<Transports> {
  const limits: TransportLimits = { ...DEFAULTS, ...options.limits }
  const connections = createConnectionTable(limits)
  const context: StreamContext = { limits, connections, handler, tls: options.tls }
  const { udp, streams, addresses } = await openListeners(options, context)
  const own = ownAddresses(addresses, options)
  const dialer = createDialer(context)
  const webSockets = createWebSocketTransport({ ...context, origins: options.webSocket?.origins ?? [] })
  const checks = setInterval(
    () => {
      const now = performance.now()
      for (const connection of connections.all()) connection.check(now)
    },
    Math.min(
      CHECK_MS,
      limits.connectionIdleMs / 2,
      limits.webSocketIdleMs / 2,
      limits.partialMessageMs / 2,
      limits.pingMs / 2,
    ),
  )
  checks.unref()
  return {
    addresses,
    own,
    get connections() {
      return connections.size
    },
    send(sendId, target, data) {
      if (target.kind === 'flow' && target.flow.transport !== 'udp') {
        const connection = connections.byFlow(target.flow.id)
        if (connection !== undefined) return connection.send(sendId, data)
        if (target.otherwise !== undefined) return dialer.send(sendId, target.otherwise, data)
        return handler.sendFailed(sendId, 'the connection is gone')
      }
      if (target.kind === 'address' && (target.transport === 'tcp' || target.transport === 'tls')) {
        return dialer.send(sendId, target, data)
      }
      sendDatagram({ sendId, target, data }, { udp, own }, handler)
    },
    alias: connections.alias,
    acceptWebSocket: webSockets.accept,
    async close() {
      clearInterval(checks)
      dialer.close()
      webSockets.close()
      const closed = [...udp, ...streams].map((listener) => listener.close())
      for (const connection of connections.all()) connection.close()
      setTimeout(() => {
        for (const connection of connections.all()) connection.destroy('the gateway stops')
      }, LINGER_MS)
      await Promise.all(closed)
    },
  }
}

/** How long peers may take to close their half when we stop, in ms. */
const LINGER_MS = 500

async function openListeners(options: TransportOptions, context: StreamContext) {
  const udp: UdpListener[] = []
  const streams: StreamListener[] = []
  const addresses: BoundAddress[] = []
  try {
    for (const listen of options.listen) {
      if (listen.transport === 'udp') {
        const socket = await openUdp(listen, context.handler)
        udp.push(socket)
        addresses.push(socket.address)
      } else {
        const listener = await (listen.transport === 'tls' ? openTls(listen, context) : openTcp(listen, context))
        streams.push(listener)
        addresses.push(listener.address)
      }
    }
  } catch (thrown) {
    await Promise.all([...udp, ...streams].map((listener) => listener.close()))
    throw thrown
  }
  return { udp, streams, addresses }
}

interface Datagram {
  readonly sendId: number
  readonly target: SendTarget
  readonly data: string
}

interface DatagramSockets {
  readonly udp: readonly UdpListener[]
  readonly own: readonly OwnAddress[]
}

function sendDatagram(datagram: Datagram, sockets: DatagramSockets, handler: TransportHandler): void {
  const { sendId, target, data } = datagram
  const leave = (socket: UdpListener | undefined, to: HostPort): void => {
    if (socket === undefined) handler.sendFailed(sendId, 'no UDP socket for this address')
    else socket.send(sendId, to, data)
  }
  if (target.kind === 'flow') {
    leave(socketOf(target.flow.local, sockets.udp), target.flow.remote)
  } else if (target.transport === 'udp') {
    withAddress(target.to, (to) => leave(bestSocket(target, to, sockets), to)).catch((thrown: Error) =>
      handler.sendFailed(sendId, thrown.message),
    )
  } else {
    handler.sendFailed(sendId, `cannot connect over ${target.transport}`)
  }
}

/** Runs `use` with the name resolved: at once for an IP literal. @throws Error of the resolver, as rejection. */
async function withAddress(to: HostPort, use: (to: HostPort) => void): Promise<void> {
  const host = ipLiteral(to.host) ?? (await resolve(to.host))
  use({ host, port: to.port })
}

function socketOf(local: HostPort, sockets: readonly UdpListener[]): UdpListener | undefined {
  return sockets.find(({ address }) => address.port === local.port && address.host === local.host)
}

/** The one whose address the message names in its Via: both are chosen by the same rule. */
function bestSocket(target: AddressTarget, to: HostPort, { udp, own }: DatagramSockets): UdpListener | undefined {
  if (udp.length <= 1) return udp[0]
  const best = ownAddressFor({ ...target, to }, own)
  return best === undefined ? undefined : socketOf(best.local, udp)
}
