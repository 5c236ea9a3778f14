import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { LIMITS } from '../base/index.ts'
import type { HostPort, SendTarget } from '../sip/index.ts'
import { createConnectionTable } from './connections.ts'
import type { BoundAddress, Sending, TransportHandler, TransportLimits, TransportOptions } from './model.ts'
import { ipLiteral, resolve } from './resolve.ts'
import { createTcpDialer, openTcp, type TcpContext, type TcpListener } from './tcp.ts'
import { openUdp, type UdpListener } from './udp.ts'
import { createWebSocketTransport } from './websocket.ts'

/** Every socket SIP goes through. */
export interface Transports extends Sending {
  /** Addresses really bound, in the order of `listen`. */
  readonly addresses: readonly BoundAddress[]
  /** Open TCP and WebSocket connections. */
  readonly connections: number
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
  const context: TcpContext = { limits, connections, handler }
  const { udp, tcp, addresses } = await openListeners(options, context)
  const dialer = createTcpDialer(context)
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
    get connections() {
      return connections.size
    },
    send(sendId, target, data) {
      if (target.kind === 'flow' && target.flow.transport !== 'udp') {
        const connection = connections.byFlow(target.flow.id)
        if (connection !== undefined) return connection.send(sendId, data)
        return handler.sendFailed(sendId, 'the connection is gone')
      }
      if (target.kind === 'address' && target.transport === 'tcp') return dialer.send(sendId, target.to, data)
      sendDatagram({ sendId, target, data }, udp, handler)
    },
    acceptWebSocket: webSockets.accept,
    async close() {
      clearInterval(checks)
      dialer.close()
      webSockets.close()
      const closed = [...udp, ...tcp].map((listener) => listener.close())
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

async function openListeners(options: TransportOptions, context: TcpContext) {
  const udp: UdpListener[] = []
  const tcp: TcpListener[] = []
  const addresses: BoundAddress[] = []
  try {
    for (const listen of options.listen) {
      if (listen.transport === 'udp') udp.push(await openUdp(listen, context.handler))
      else tcp.push(await openTcp(listen, context))
      addresses.push(...[(listen.transport === 'udp' ? udp : tcp).at(-1)?.address ?? []].flat())
    }
  } catch (thrown) {
    await Promise.all([...udp, ...tcp].map((listener) => listener.close()))
    throw thrown
  }
  return { udp, tcp, addresses }
}

interface Datagram {
  readonly sendId: number
  readonly target: SendTarget
  readonly data: string
}

function sendDatagram(datagram: Datagram, sockets: readonly UdpListener[], handler: TransportHandler): void {
  const { sendId, target, data } = datagram
  const leave = (socket: UdpListener | undefined, to: HostPort): void => {
    if (socket === undefined) handler.sendFailed(sendId, 'no UDP socket for this address')
    else socket.send(sendId, to, data)
  }
  if (target.kind === 'flow') {
    leave(socketOf(target.flow.local, sockets), target.flow.remote)
  } else if (target.transport === 'udp') {
    withAddress(target.to, (to) => leave(bestSocket(to.host, sockets), to)).catch((thrown: Error) =>
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

/** Of the peer's address family, and a loopback socket only for a loopback peer. */
function bestSocket(peer: string, sockets: readonly UdpListener[]): UdpListener | undefined {
  const usable = sockets.filter(({ address }) => address.host === '::' || isIPv6(address.host) === isIPv6(peer))
  return usable.find(({ address }) => isLoopback(address.host) === isLoopback(peer)) ?? usable[0]
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
