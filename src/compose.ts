import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type ApiServer, createApiServer, type PageInfo } from './api/index.ts'
import type { Secret } from './base/index.ts'
import type { Config } from './config/index.ts'
import { createGateway, type Gateway } from './gateway/index.ts'
import { createPortableEngine } from './media/engines/portable/index.ts'
import type { MediaEngine } from './media/index.ts'
import { randomIds } from './random.ts'
import type { HostPort } from './sip/index.ts'
import { createMetrics, type Log, logCallRecord, type Metrics } from './telemetry/index.ts'
import { VERSION } from './version.ts'

/** Path of the SIP WebSocket (RFC 7118). */
export const SIP_PATH = '/sip'

/** A gateway that is up. */
export interface Trunkline {
  readonly http: HostPort
  readonly sip: Gateway['addresses']
  readonly engine: string
  /** Refuses new calls, ends those that are up (BYE or CANCEL), then closes everything; in this order. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Builds the object graph from a configuration and starts it: engine, then gateway, then HTTP. What was started is
 * stopped again if a later part cannot start.
 *
 * @throws GatewayError `LISTEN_FAILED`, `MEDIA_PORTS_EXHAUSTED`.
 */
export async function startTrunkline(
  config: Config,
  options: { readonly log: Log; readonly operatorToken: Secret },
): Promise<Trunkline> {
  const undo: (() => Promise<void>)[] = []
  try {
    const metrics = createMetrics()
    const engine = await startEngine(config, options.log)
    undo.unshift(() => engine.stop())
    const gateway = await startGateway(config, engine, metrics, options.log)
    undo.unshift(() => gateway.stop())
    const api = await createApiServer({
      control: gateway,
      metrics,
      log: options.log,
      operatorToken: options.operatorToken,
      page: pageInfo(config, engine),
      webRoot: webRoot(),
      tenantOf: tenantNames(config),
    })
    gateway.attachWebSocket(api.server, SIP_PATH)
    undo.unshift(() => api.stop())
    const http = await api.listen(config.listen.http)
    return { http, sip: gateway.addresses, engine: engine.name, stop: (how) => stop({ api, gateway, engine }, how) }
  } catch (thrown) {
    for (const step of undo) await step()
    throw thrown
  }
}

function startEngine(config: Config, log: Log): Promise<MediaEngine> {
  const { advertise, webrtcPorts, rtpPorts } = config.media
  return createPortableEngine({
    advertise: advertise.length === 0 ? ownAddresses() : advertise,
    webrtcPorts,
    rtpPorts,
    limits: { sessions: config.limits.calls },
    ids: randomIds,
    log,
  })
}

/** Every address a peer may reach, and loopback for browsers and phones on this very machine. */
function ownAddresses(): readonly string[] {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address, internal }) => !internal && !/^(?:169\.254\.|fe80:)/i.test(address))
    .map(({ address }) => address)
  return [...own, '127.0.0.1']
}

async function startGateway(config: Config, engine: MediaEngine, metrics: Metrics, log: Log): Promise<Gateway> {
  const { strays } = engine
  const [advertise] = config.media.advertise
  const gateway = await createGateway({
    listen: { sip: config.listen.sip },
    tenants: config.tenants,
    ownHosts: [...config.media.advertise, config.listen.http.host],
    engine,
    log,
    product: `Trunkline/${VERSION}`,
    ...(advertise === undefined ? {} : { advertise }),
    origins: config.api.origins,
    limits: config.limits,
    metrics,
    onCallEnded: (record) => logCallRecord(log, record),
  })
  metrics.observe({
    calls: () => gateway.counts().calls,
    registrations: () => gateway.counts().registrations,
    connections: () => gateway.counts().connections,
    transactions: () => gateway.counts().transactions,
    mediaSessions: () => gateway.counts().mediaSessions,
    ...(strays === undefined ? {} : { mediaStrays: strays }),
  })
  return gateway
}

function pageInfo(config: Config, engine: MediaEngine): PageInfo {
  const info: PageInfo = {
    version: VERSION,
    engine: engine.name,
    sipPath: SIP_PATH,
    domains: config.tenants.map((tenant) => tenant.domain),
    builtins: [
      { dial: '*43', what: 'Echo: hear yourself' },
      { dial: '*41', what: 'A steady tone of 1004 Hz' },
    ],
  }
  return config.demo ? { ...info, demo: demoAccounts(config) } : info
}

function demoAccounts(config: Config): NonNullable<PageInfo['demo']> {
  return config.tenants.flatMap((tenant) =>
    tenant.users.map((user) => ({
      user: user.name,
      domain: tenant.domain,
      password: user.password.reveal(),
      displayName: user.displayName ?? user.name,
    })),
  )
}

function tenantNames(config: Config): (domain: string) => string {
  const names = new Map(config.tenants.flatMap((t) => [t.domain, ...t.aliases].map((name) => [name, t.domain])))
  return (domain) => names.get(domain.toLowerCase()) ?? domain.toLowerCase()
}

/** Beside the bundle in `dist`; when run from the sources, in the `dist` next to them. */
function webRoot(): string {
  const bundled = fileURLToPath(new URL('./web', import.meta.url))
  const inSources = existsSync(fileURLToPath(new URL('./compose.ts', import.meta.url)))
  return inSources ? fileURLToPath(new URL('../dist/web', import.meta.url)) : bundled
}

async function stop(
  parts: { readonly api: ApiServer; readonly gateway: Gateway; readonly engine: MediaEngine },
  how: { readonly graceMs?: number } = {},
): Promise<void> {
  await parts.gateway.stop(how) // The API stays until here: /healthz says `stopping`, /v1/events tells of the ends.
  await parts.api.stop()
  await parts.engine.stop()
}
