import type { IncomingMessage, Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { GatewayControl } from '../api/index.ts'
import type { IdSource } from '../base/index.ts'
import type { CallRecord } from '../call/index.ts'
import type { MediaEngine } from '../media/index.ts'
import type { RegistrarConfig } from '../registrar/index.ts'
import type { Metrics } from '../telemetry/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import type { BoundAddress, ResolverOptions, SipListen, TlsStore, TransportLimits } from '../transport/index.ts'

/** The log the gateway writes to; `Log` of `telemetry` is one. */
export interface GatewayLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface GatewayOptions {
  readonly listen: { readonly sip: readonly SipListen[] }
  readonly tenants: readonly Tenant[]
  /** Names and addresses of ours, besides the tenants' domains, that a Request-URI may carry. */
  readonly ownHosts?: readonly string[]
  /** The engine calls use. The gateway reads its `events`; who made it stops it, after the gateway. */
  readonly engine: MediaEngine
  readonly log: GatewayLog
  /** Value of `Server` and `User-Agent`, as `Trunkline/0.1.0`. */
  readonly product: string
  /** Addresses told to peers in Via and Contact where a listener names none; see `TransportOptions`. */
  readonly advertise?: readonly string[]
  /** Certificates of SIP over TLS, in both directions. */
  readonly tls?: TlsStore
  /** Web origins besides the page's own host that may open the SIP WebSocket. */
  readonly origins?: readonly string[]
  /** Session timers (RFC 4028) where a tenant or trunk says nothing else, in seconds. Default: 1800, at least 90. */
  readonly sessionTimer?: { readonly seconds: number; readonly minSeconds: number }
  readonly limits?: GatewayLimits
  readonly registrar?: RegistrarConfig
  readonly metrics?: Metrics
  /** Gets the record of each call that ended. Must not throw. */
  /** Where names of peers are looked up. Default: as the system does. */
  readonly dns?: ResolverOptions
  readonly failover?: FailoverOptions
  readonly onCallEnded?: (record: CallRecord) => void
  /** Default: a cryptographic source. */
  readonly ids?: IdSource
}

/** When a call goes on to the next target of a trunk. */
export interface FailoverOptions {
  /** How long a target may say nothing at all, in ms. Default 6_000. */
  readonly silenceMs?: number
  /** How long one that did not serve is tried last, in ms. Default 60_000. */
  readonly avoidMs?: number
}

/** Of the whole process; a tenant's own are in `Tenant.limits`. */
export interface GatewayLimits extends Partial<TransportLimits> {
  readonly calls?: number
  readonly registrations?: number
}

/** Numbers of this moment, for gauges. */
export interface GatewayCounts {
  readonly calls: number
  readonly registrations: number
  readonly subscriptions: number
  readonly publications: number
  /** Instant messages that wait for their receivers. */
  readonly messages: number
  /** Open TCP and WebSocket connections. */
  readonly connections: number
  readonly transactions: number
  readonly mediaSessions: number
}

export interface Gateway extends GatewayControl {
  /** Addresses really bound, in the order of `listen.sip`. */
  readonly addresses: readonly BoundAddress[]
  counts(): GatewayCounts
  /** Takes WebSockets with subprotocol `sip` (RFC 7118) at `path` of an HTTP server; other upgrades get 404. */
  attachWebSocket(server: Server | SecureServer, path?: string): void
  /** The same for one upgrade request, where the server's own routing decided. */
  acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /**
   * Refuses new calls at once, ends those that are up (after `graceMs`, default 0, in which they may end by
   * themselves), waits for the peers' answers for at most 2 s, closes the sockets.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}
