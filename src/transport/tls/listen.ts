import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { GatewayError } from '../../base/index.ts'
import type { SipListen } from '../model.ts'
import { adopt, type StreamContext } from '../stream.ts'
import { listenOn, type StreamListener } from '../tcp.ts'
import { identitiesOf } from './identities.ts'
import { tlsServerOptions } from './server-options.ts'
import type { TlsStore } from './store.ts'

/**
 * SIP over TLS (RFC 3261 §26.3.1). Connections are accepted by a plain server, so that their number is bounded before
 * anybody calculates for them.
 *
 * @throws GatewayError `LISTEN_FAILED`, or `CONFIG_INVALID` where there is no certificate.
 */
export function openTls(listen: SipListen, context: StreamContext): Promise<StreamListener> {
  const { tls } = context
  if (tls === undefined) throw noCertificate(listen)
  const pending = createHandshakes(context)
  const server = secureServer(listen, tls, context)
  server.on('secureConnection', (socket) => {
    pending.done(socket)
    admit(socket, listen, context)
  })
  server.on('tlsClientError', (error, socket) => {
    pending.done(socket)
    socket.destroy() // Node leaves one open that came too late.
    const isLate = 'code' in error && error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT'
    context.handler.dropped(isLate ? 'tls-handshake-timeout' : 'tls-handshake-failed', error.message)
  })
  const accepting = createServer((socket) => {
    if (pending.begin(socket)) server.emit('connection', socket)
    else socket.destroy()
  })
  return listenOn(accepting, listen, context)
}

function secureServer(listen: SipListen, tls: TlsStore, { limits }: StreamContext): TlsServer {
  const asks = (listen.clientCertificates ?? 'none') !== 'none'
  const options = tlsServerOptions(tls)
  if (options === undefined) throw noCertificate(listen)
  const server = createTlsServer({
    ...options,
    requestCert: asks,
    rejectUnauthorized: false, // What is not proved counts as nothing; `admit` decides whether that will do.
    handshakeTimeout: limits.tlsHandshakeMs,
  })
  tls.onChange(() => server.setSecureContext(tls.serverContext() ?? {}))
  return server
}

function admit(socket: TLSSocket, listen: SipListen, context: StreamContext): void {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined && listen.clientCertificates === 'require') {
    const reason = socket.authorizationError ?? 'no certificate'
    context.handler.dropped('tls-certificate-missing', `${socket.remoteAddress}: ${reason}`)
    socket.on('error', () => undefined)
    socket.destroy()
    return
  }
  const identities = certificate === undefined ? {} : { identities: identitiesOf(certificate) }
  adopt(socket, context, { transport: 'tls', openedBy: 'peer', ...identities })
}

interface Handshakes {
  /** Whether the peer may begin one. */
  begin(socket: Socket): boolean
  done(socket: Socket): void
}

/** Handshakes that are not done count as connections, and have a bound of their own: each costs a signature. */
function createHandshakes({ connections, limits, handler }: StreamContext): Handshakes {
  const pending = new Map<string, () => void>()
  const done = (key: string): void => {
    pending.get(key)?.()
    pending.delete(key)
  }
  return {
    begin(socket) {
      const address = socket.remoteAddress
      if (address === undefined) return false
      if (pending.size >= limits.tlsHandshakes || !connections.admits(address)) {
        const isFull = pending.size >= limits.tlsHandshakes
        handler.dropped(isFull ? 'tls-handshakes-exhausted' : 'connections-exhausted', address)
        return false
      }
      const key = keyOf(socket)
      pending.set(key, connections.hold(address))
      socket.once('close', () => done(key))
      return true
    },
    done: (socket) => done(keyOf(socket)),
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

function noCertificate({ host, port }: SipListen): GatewayError {
  return new GatewayError('CONFIG_INVALID', `tls:${host}:${port} needs a certificate (tls.certificates)`)
}
