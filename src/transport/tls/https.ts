import { createServer, type Server } from 'node:https'
import { GatewayError, LIMITS } from '../../base/index.ts'
import { tlsServerOptions } from './server-options.ts'
import type { TlsStore } from './store.ts'

/** A request has to be whole by then: nobody keeps a connection with half of one. */
const REQUEST_TIMEOUT_MS = 20_000

/**
 * An HTTPS server that shows the certificates of `tls`, also after they changed. It does not listen yet.
 *
 * @throws GatewayError `CONFIG_INVALID`: there is no certificate.
 */
export function createHttpsServer(tls: TlsStore): Server {
  const options = tlsServerOptions(tls)
  if (options === undefined) {
    throw new GatewayError('CONFIG_INVALID', 'listen.https needs a certificate (tls.certificates)')
  }
  const server = createServer({
    ...options,
    handshakeTimeout: LIMITS.tlsHandshakeMs,
    requestTimeout: REQUEST_TIMEOUT_MS,
  })
  server.maxConnections = LIMITS.connections
  tls.onChange(() => server.setSecureContext(tls.serverContext() ?? {}))
  return server
}
