import { connect, createServer, type Server, type Socket } from 'node:net'
import { GatewayError } from '../base/index.ts'
import type { Flow, HostPort } from '../sip/index.ts'
import type { ConnectionTable } from './connections.ts'
import type { BoundAddress, SipListen, TransportHandler, TransportLimits } from './model.ts'
import { ipLiteral, plainAddress, resolve } from './resolve.ts'
import { tcpConnection } from './tcp-connection.ts'

export interface TcpContext {
  readonly limits: TransportLimits
  readonly connections: ConnectionTable
  readonly handler: TransportHandler
}

export interface TcpListener {
  readonly address: BoundAddress
  close(): Promise<void>
}

/** @throws GatewayError `LISTEN_FAILED`. */
export async function openTcp(listen: SipListen, context: TcpContext): Promise<TcpListener> {
  const server = createServer((socket) => admit(socket, context))
  const host = await resolve(listen.host)
  const port = await bind(server, listen, host)
  server.on('error', (error) => context.handler.dropped('socket-error', error.message))
  return {
    address: { transport: 'tcp', host, port },
    close: () => new Promise((done) => server.close(() => done())),
  }
}

function admit(socket: Socket, context: TcpContext): void {
  const address = socket.remoteAddress
  if (address === undefined || !context.connections.admits(address)) {
    if (address !== undefined) context.handler.dropped('connections-exhausted', address)
    socket.destroy()
    return
  }
  adopt(socket, { ...context, openedBy: 'peer' })
}

function adopt(socket: Socket, context: TcpContext & { readonly openedBy: 'peer' | 'us' }) {
  const { connections } = context
  const connection = tcpConnection({
    ...context,
    socket,
    flow: flowOf(socket, connections),
    onClose: connections.remove,
  })
  connections.add(connection)
  return connection
}

function flowOf(socket: Socket, connections: ConnectionTable): Flow {
  return {
    id: connections.flowId('tcp'),
    transport: 'tcp',
    local: { host: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
    remote: { host: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 },
  }
}

interface Parcel {
  readonly sendId: number
  readonly data: string
}

/** Sends over TCP to addresses: on the connection that is open (RFC 3261 §18.1.1), else on a new one. */
export interface TcpDialer {
  send(sendId: number, to: HostPort, data: string): void
  close(): void
}

export function createTcpDialer(context: TcpContext): TcpDialer {
  /** Connections on their way, by `host port`, and what waits for them. */
  const dialling = new Map<string, Dial>()
  return {
    send(sendId, to, data) {
      const literal = ipLiteral(to.host)
      const open = literal && context.connections.byRemote('tcp', { host: literal, port: to.port })
      if (open) return open.send(sendId, data)
      const key = `${to.host} ${to.port}`
      const dial = dialling.get(key) ?? startDial(to, context, () => dialling.delete(key))
      dialling.set(key, dial)
      dial.add({ sendId, data })
    },
    close() {
      for (const dial of dialling.values()) dial.giveUp('the gateway stops')
    },
  }
}

interface Dial {
  add(parcel: Parcel): void
  giveUp(cause: string): void
}

function startDial(to: HostPort, context: TcpContext, onEnd: () => void): Dial {
  const { handler, limits } = context
  let waiting: Parcel[] = []
  let bytes = 0
  let socket: Socket | undefined
  let ended = false
  const finish = (deliver: (parcel: Parcel) => void): void => {
    if (ended) return
    ended = true
    clearTimeout(timer)
    onEnd()
    const parcels = waiting
    waiting = []
    for (const parcel of parcels) deliver(parcel)
  }
  const giveUp = (cause: string): void => {
    finish(({ sendId }) => handler.sendFailed(sendId, cause))
    socket?.destroy()
  }
  const timer = setTimeout(() => giveUp(`no connection within ${limits.connectTimeoutMs} ms`), limits.connectTimeoutMs)
  const dial = async (): Promise<void> => {
    const host = await resolve(to.host)
    if (ended) return
    const reusable = context.connections.byRemote('tcp', { host, port: to.port })
    if (reusable !== undefined) return finish(({ sendId, data }) => reusable.send(sendId, data))
    if (context.connections.size >= limits.connections) return giveUp('too many connections')
    const opening = connect({ host, port: to.port })
    socket = opening
    opening.once('error', (error) => giveUp(error.message))
    opening.once('connect', () => {
      const connection = adopt(opening, { ...context, openedBy: 'us' })
      finish(({ sendId, data }) => connection.send(sendId, data))
    })
  }
  dial().catch((thrown) => giveUp(thrown instanceof Error ? thrown.message : String(thrown)))
  return {
    add(parcel) {
      bytes += parcel.data.length
      if (bytes > limits.sendBufferBytes) return handler.sendFailed(parcel.sendId, 'too much waits for this peer')
      waiting.push(parcel)
    },
    giveUp,
  }
}

function bind(server: Server, listen: SipListen, host: string): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', (error) => {
      fail(new GatewayError('LISTEN_FAILED', `tcp:${listen.host}:${listen.port}: ${error.message}`, { cause: error }))
    })
    server.listen({ port: listen.port, host }, () => {
      server.removeAllListeners('error')
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : listen.port)
    })
  })
}
