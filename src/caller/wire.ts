import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { type ByteString, GatewayError } from '../base/index.ts'
import { randomIds } from '../random.ts'
import { createStreamFramer, type Flow, type HostPort, type TransportName } from '../sip/index.ts'
import { isIpv6, resolveServer } from './resolve.ts'

/** One connection of a caller to the server under test. */
export interface Wire {
  readonly flow: Flow
  /** The server for a person: `udp 192.0.2.1:5060`, or the URL. */
  readonly server: string
  send(data: ByteString): void
  /** Must be set before anything arrives; called with one whole message. */
  onMessage: (data: ByteString) => void
  /** The server cannot be reached any longer; the cause is a sentence. */
  onClose: (cause: string) => void
  close(): void
}

/** CAs a server is verified with, as PEM. Absent: those of Node, and of the file that NODE_EXTRA_CA_CERTS names. */
export interface Trust {
  readonly ca?: string
}

/** @throws GatewayError `SIP_FLOW_GONE` if the server cannot be reached, or over TLS is not who it should be. */
export async function openWire(transport: 'udp' | 'tcp' | 'tls', server: HostPort, trust: Trust = {}): Promise<Wire> {
  const resolved = await resolveServer(server)
  if (transport === 'tls') return openTls(server, resolved, trust)
  return transport === 'udp' ? openUdp(resolved) : openTcp(resolved)
}

async function openUdp(server: HostPort): Promise<Wire> {
  const name = serverName('udp', server)
  const socket = createSocket({ type: isIpv6(server.host) ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
  try {
    socket.bind(0)
    await once(socket, 'listening')
    // Connected, so that the kernel picks the local address this server sees, and tells of a closed port.
    socket.connect(server.port, server.host)
    await once(socket, 'connect')
  } catch (error) {
    socket.close()
    throw unreachable(name, error)
  }
  const local = socket.address()
  const wire = newWire('udp', { host: local.address, port: local.port }, server, {
    server: name,
    send: (data) => socket.send(Buffer.from(data, 'latin1')),
    close: () => socket.close(),
  })
  socket.on('message', (data) => wire.onMessage(data.toString('latin1')))
  socket.on('error', (error) => wire.onClose(unreachable(name, error).message))
  return wire
}

async function openTcp(server: HostPort): Promise<Wire> {
  const name = serverName('tcp', server)
  const socket = connect({ host: server.host, port: server.port, timeout: CONNECT_MS })
  socket.once('timeout', () => socket.destroy(new Error(`no answer in ${CONNECT_MS / 1_000} s`)))
  try {
    await once(socket, 'connect')
  } catch (error) {
    throw unreachable(name, error)
  }
  return streamWire('tcp', socket, server)
}

async function openTls(named: HostPort, server: HostPort, { ca }: Trust): Promise<Wire> {
  const servername = isIP(named.host) === 0 ? { servername: named.host } : {}
  const socket = connectTls({ ...server, ...servername, ...(ca === undefined ? {} : { ca }), timeout: CONNECT_MS })
  socket.once('timeout', () => socket.destroy(new Error(`no answer in ${CONNECT_MS / 1_000} s`)))
  try {
    await once(socket, 'secureConnect')
  } catch (error) {
    throw unreachable(serverName('tls', named), error)
  }
  return streamWire('tls', socket, server)
}

function streamWire(transport: 'tcp' | 'tls', socket: Socket, server: HostPort): Wire {
  const name = serverName(transport, server)
  socket.setTimeout(0)
  const wire = newWire(transport, { host: socket.localAddress ?? '127.0.0.1', port: socket.localPort ?? 0 }, server, {
    server: name,
    send: (data) => socket.write(data, 'latin1'),
    close: () => socket.destroy(),
  })
  const framer = createStreamFramer()
  socket.on('data', (chunk) => {
    for (const message of framer.push(chunk.toString('latin1')).messages) wire.onMessage(message)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => wire.onClose(`${name} closed the connection`))
  return wire
}

/**
 * A SIP WebSocket (RFC 7118).
 *
 * @throws GatewayError `SIP_FLOW_GONE` if the server refuses or does not speak the subprotocol `sip`.
 */
export async function openWebSocket(url: string, trust: Trust = {}): Promise<Wire> {
  const socket = new WebSocket(url, 'sip', { ...trust, perMessageDeflate: false, handshakeTimeout: CONNECT_MS })
  try {
    await once(socket, 'open')
  } catch (error) {
    throw unreachable(url, error)
  }
  const at = new URL(url)
  const secure = at.protocol === 'wss:'
  const remote = { host: at.hostname, port: Number(at.port) || (secure ? 443 : 80) }
  // A browser does not know its address; RFC 7118 §5.2.1 has it invent one.
  const wire = newWire(secure ? 'wss' : 'ws', { host: `${randomIds.token(60)}.invalid`, port: 0 }, remote, {
    server: url,
    send: (data) => socket.send(Buffer.from(data, 'latin1'), { binary: false }),
    close: () => socket.close(),
  })
  socket.on('message', (data) => wire.onMessage((data as Buffer).toString('latin1')))
  socket.on('error', () => undefined)
  socket.on('close', () => wire.onClose(`${url} closed the connection`))
  return wire
}

type Sending = Pick<Wire, 'server' | 'send' | 'close'>

function newWire(transport: TransportName, local: HostPort, remote: HostPort, sending: Sending): Wire {
  return {
    flow: { id: `${transport}:${local.host}:${local.port}>${remote.host}:${remote.port}`, transport, local, remote },
    onMessage: () => undefined,
    onClose: () => undefined,
    ...sending,
  }
}

function serverName(transport: string, { host, port }: HostPort): string {
  return `${transport} ${isIpv6(host) ? `[${host}]` : host}:${port}`
}

function unreachable(server: string, cause: unknown): GatewayError {
  return new GatewayError('SIP_FLOW_GONE', `cannot reach ${server}: ${reasonOf(cause)}`, { cause })
}

/** The system's word for a failure, in words. */
function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  if (code in REASONS) return REASONS[code] ?? ''
  const message = cause instanceof Error ? cause.message : String(cause)
  return message === 'Server sent no subprotocol' ? 'it does not speak SIP over WebSocket (RFC 7118)' : message
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
}

/** Time for a connection to be set up. */
const CONNECT_MS = 5_000
