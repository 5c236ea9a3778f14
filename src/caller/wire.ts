import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { type ByteString, GatewayError } from '../base/index.ts'
import { createStreamFramer, type Flow, type HostPort, type TransportName } from '../sip/index.ts'

/** One connection of a caller to the server under test. */
export interface Wire {
  readonly flow: Flow
  send(data: ByteString): void
  /** Must be set before anything arrives; called with one whole message. */
  onMessage: (data: ByteString) => void
  onClose: (cause: string) => void
  close(): void
}

/** @throws GatewayError `SIP_FLOW_GONE` if the server cannot be reached. */
export async function openWire(transport: 'udp' | 'tcp', server: HostPort): Promise<Wire> {
  return transport === 'udp' ? openUdp(server) : openTcp(server)
}

async function openUdp(server: HostPort): Promise<Wire> {
  const socket = createSocket({ type: server.host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
  socket.bind(0)
  await once(socket, 'listening')
  // Connected, so that the kernel picks the local address this server sees.
  socket.connect(server.port, server.host)
  await once(socket, 'connect')
  const local = socket.address()
  const wire = newWire('udp', { host: local.address, port: local.port }, server, {
    send: (data) => socket.send(Buffer.from(data, 'latin1')),
    close: () => socket.close(),
  })
  socket.on('message', (data) => wire.onMessage(data.toString('latin1')))
  socket.on('error', (error) => wire.onClose(error.message))
  return wire
}

async function openTcp(server: HostPort): Promise<Wire> {
  const socket = connect(server.port, server.host)
  try {
    await once(socket, 'connect')
  } catch (error) {
    throw unreachable(`tcp ${server.host}:${server.port}`, error)
  }
  const wire = newWire('tcp', { host: socket.localAddress ?? '127.0.0.1', port: socket.localPort ?? 0 }, server, {
    send: (data) => socket.write(data, 'latin1'),
    close: () => socket.destroy(),
  })
  const framer = createStreamFramer()
  socket.on('data', (chunk) => {
    for (const message of framer.push(chunk.toString('latin1')).messages) wire.onMessage(message)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => wire.onClose('the server closed the connection'))
  return wire
}

/**
 * A SIP WebSocket (RFC 7118).
 *
 * @throws GatewayError `SIP_FLOW_GONE` if the server refuses or does not speak the subprotocol `sip`.
 */
export async function openWebSocket(url: string): Promise<Wire> {
  const socket = new WebSocket(url, 'sip', { perMessageDeflate: false, handshakeTimeout: 5_000 })
  try {
    await once(socket, 'open')
  } catch (error) {
    throw unreachable(url, error)
  }
  const at = new URL(url)
  const secure = at.protocol === 'wss:'
  const remote = { host: at.hostname, port: Number(at.port || (secure ? 443 : 80)) }
  // A browser does not know its address; RFC 7118 §5.2.1 has it invent one.
  const wire = newWire(secure ? 'wss' : 'ws', { host: `${invented()}.invalid`, port: 0 }, remote, {
    send: (data) => socket.send(Buffer.from(data, 'latin1'), { binary: false }),
    close: () => socket.close(),
  })
  socket.on('message', (data) => wire.onMessage((data as Buffer).toString('latin1')))
  socket.on('error', () => undefined)
  socket.on('close', () => wire.onClose('the server closed the WebSocket'))
  return wire
}

interface Sending {
  send(data: ByteString): void
  close(): void
}

function newWire(transport: TransportName, local: HostPort, remote: HostPort, sending: Sending): Wire {
  return {
    flow: { id: `${transport}:${local.host}:${local.port}>${remote.host}:${remote.port}`, transport, local, remote },
    onMessage: () => undefined,
    onClose: () => undefined,
    ...sending,
  }
}

function invented(): string {
  return Math.random().toString(36).slice(2, 14)
}

function unreachable(what: string, cause: unknown): GatewayError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new GatewayError('SIP_FLOW_GONE', `cannot reach ${what}: ${why}`, { cause })
}
