import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv4, isIPv6 } from 'node:net'
import { GatewayError } from '../base/index.ts'
import type { Flow, HostPort } from '../sip/index.ts'
import type { BoundAddress, SipListen, TransportHandler } from './model.ts'
import { plainAddress, resolve } from './resolve.ts'

/** Asked of the system; it may give less. Bursts of calls wait here while the process is busy. */
const RECEIVE_BUFFER_BYTES = 4_194_304

/** The most that fits an IPv4 datagram. */
const DATAGRAM_BYTES = 65_507

/** One UDP socket that SIP is taken on and sent from. */
export interface UdpListener {
  readonly address: BoundAddress
  send(sendId: number, to: HostPort, data: string): void
  close(): Promise<void>
}

/** @throws GatewayError `LISTEN_FAILED`. */
export async function openUdp(listen: SipListen, handler: TransportHandler): Promise<UdpListener> {
  const host = await resolve(listen.host)
  const isV6 = isIPv6(host)
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    // Only IP literals get here; going through the resolver would cost a thread hop per datagram.
    lookup: (name, _options, done) => done(null, name, isIPv4(name) ? 4 : 6),
  })
  const address = await bind(socket, listen, host)
  enlargeReceiveBuffer(socket)
  socket.on('error', (error) => handler.dropped('socket-error', error.message))
  socket.on('message', (data, remote) => handler.received(flowOf(address, remote), data.toString('latin1')))
  return {
    address,
    send(sendId, to, data) {
      const reached = isV6 && isIPv4(to.host) ? { host: `::ffff:${to.host}`, port: to.port } : to
      send(socket, { sendId, to: reached, data }, handler)
    },
    close: () => new Promise((done) => socket.close(() => done())),
  }
}

/** UDP flows are derived from the two addresses: the same pair is the same flow, without a table. */
function flowOf(local: BoundAddress, remote: RemoteInfo): Flow {
  const host = plainAddress(remote.address)
  return {
    id: `udp ${local.host} ${local.port} ${host} ${remote.port}`,
    transport: 'udp',
    local: { host: local.host, port: local.port },
    remote: { host, port: remote.port },
  }
}

function send(
  socket: Socket,
  parcel: { readonly sendId: number; readonly to: HostPort; readonly data: string },
  handler: TransportHandler,
): void {
  const { sendId, to, data } = parcel
  if (data.length > DATAGRAM_BYTES) {
    handler.sendFailed(sendId, `${data.length} bytes do not fit a datagram`)
    return
  }
  try {
    socket.send(Buffer.from(data, 'latin1'), to.port, to.host, (error) => {
      if (error !== null && error !== undefined) handler.sendFailed(sendId, error.message)
    })
  } catch (thrown) {
    handler.sendFailed(sendId, thrown instanceof Error ? thrown.message : String(thrown)) // Port 0, or already closed.
  }
}

function bind(socket: Socket, listen: SipListen, host: string): Promise<BoundAddress> {
  return new Promise((done, fail) => {
    socket.once('error', (error) => {
      socket.close()
      fail(new GatewayError('LISTEN_FAILED', `udp:${listen.host}:${listen.port}: ${error.message}`, { cause: error }))
    })
    socket.bind(listen.port, host, () => {
      socket.removeAllListeners('error')
      done({ transport: 'udp', host, port: socket.address().port })
    })
  })
}

function enlargeReceiveBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  } catch {
    // The system refuses; its own size has to do.
  }
}
