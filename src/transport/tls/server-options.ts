import type { TlsOptions } from 'node:tls'
import type { TlsStore } from './store.ts'

/** What a server of TLS starts with: the first certificate, and others for the hosts that clients name (SNI). */
export function tlsServerOptions(tls: TlsStore): TlsOptions | undefined {
  const context = tls.serverContext()
  if (context === undefined) return undefined
  return { ...context, SNICallback: (host, done) => done(null, tls.contextFor(host)) }
}
