import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type ApiServer, createApiServer, type PageInfo } from './api/index.ts'
import { asGatewayError, type Secret } from './base/index.ts'
import type { Config } from './config/index.ts'
import { createGateway, createTls, type Gateway, type GatewayOptions, type RunningTls } from './gateway/index.ts'
import { chooseEngine, type EngineChoice } from './media/engines/choice.ts'
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
  readonly https?: HostPort
  readonly sip: Gateway['addresses']
  readonly engine: string
  /** What moves the media, and why, in one line. */
  readonly media: string
  /** Reads certificates, keys and CAs again; connections that are open stay. */
  reload(): void
  /** Refuses new calls, ends those that are up (BYE or CANCEL), then closes everything; in this order. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Builds the object graph from a configuration and starts it: engine, then gateway, then HTTP. What was started is
 * stopped again if a later part cannot start.
 *
 * @throws GatewayError `LISTEN_FAILED`, `MEDIA_ENGINE_MISSING`, `CONFIG_INVALID`.
 */
export async function startTrunkline(
  config: Config,
  options: { readonly log: Log; readonly operatorToken: Secret },
): Promise<Trunkline> {
  const undo: (() => Promise<void>)[] = []
  try {
    const metrics = createMetrics()
    const tls = createTls(config, options.log)
    undo.unshift(async () => tls.stop())
    const { engine, about } = await startEngine(config, options.log)
    undo.unshift(() => engine.stop())
    const gateway = await startGateway(config, { engine, metrics, log: options.log, tls: tls.store })
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
    const https = await startHttps(config, { api, gateway, tls })
    return {
      http,
      ...(https === undefined ? {} : { https }),
      sip: gateway.addresses,
      engine: engine.name,
      media: about,
      reload: tls.reload,
      stop: (how) => stop({ api, gateway, engine, tls }, how),
    }
  } catch (thrown) {
    for (const step of undo) await step()
    throw thrown
  }
}

/**
 * Which media engine a start would take, in words.
 *
 * @throws GatewayError `MEDIA_ENGINE_MISSING`, `CONFIG_INVALID`.
 */
export function engineOf(
  config: Config,
  env: NodeJS.ProcessEnv | Readonly<Record<string, string | undefined>>,
): string {
  const { name, reason } = chooseEngine(config.media.engine, env)
  return `${name}, ${reason}`
}

interface StartedEngine {
  readonly engine: MediaEngine
  readonly about: string
}

async function startEngine(config: Config, log: Log): Promise<StartedEngine> {
  const choice = chooseEngine(config.media.engine, process.env)
  if (choice.name === 'portable') return startPortable(config, log, choice)
  try {
    const engine = await startNative(config, log)
    return { engine, about: engine.about ?? engine.name }
  } catch (thrown) {
    const error = asGatewayError(thrown)
    if (config.media.engine !== 'auto' || error.code !== 'MEDIA_ENGINE_MISSING') throw thrown
    return startPortable(config, log, { name: 'portable', reason: error.message }) // A program of another system, say.
  }
}

async function startNative(config: Config, log: Log): Promise<MediaEngine> {
  const { createNativeEngine } = await import('./media/engines/native/index.ts')
  const { control, threads, io } = config.media
  return createNativeEngine({
    ...commonOf(config, log),
    sessions: config.limits.calls,
    io,
    ...(control === undefined ? {} : { control }),
    ...(threads === undefined ? {} : { threads }),
  })
}

async function startPortable(config: Config, log: Log, { reason }: EngineChoice): Promise<StartedEngine> {
  const { createPortableEngine } = await import('./media/engines/portable/index.ts')
  log.info({ reason }, 'the portable media engine is used')
  const limits = { sessions: config.limits.calls }
  const engine = await createPortableEngine({ ...commonOf(config, log), limits, ids: randomIds })
  return { engine, about: `portable, all in JavaScript, for small scale (tens of calls): ${reason}` }
}

function commonOf({ media: { advertise, webrtcPorts, rtpPorts } }: Config, log: Log) {
  return { advertise: advertise.length === 0 ? ownAddresses() : advertise, webrtcPorts, rtpPorts, log }
}

/** Every address a peer may reach, and loopback for browsers and phones on this very machine. */
function ownAddresses(): readonly string[] {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address, internal }) => !internal && !/^(?:169\.254\.|fe80:)/i.test(address))
    .map(({ address }) => address)
  return [...own, '127.0.0.1']
}

/** The same page, API and SIP WebSocket once more, over TLS. */
async function startHttps(
  { listen }: Config,
  { api, gateway, tls }: { readonly api: ApiServer; readonly gateway: Gateway; readonly tls: RunningTls },
): Promise<HostPort | undefined> {
  if (listen.https === undefined) return undefined
  const server = tls.httpsServer()
  gateway.attachWebSocket(server, SIP_PATH)
  return api.listenOver(server, listen.https)
}

interface GatewayParts {
  readonly engine: MediaEngine
  readonly metrics: Metrics
  readonly log: Log
  readonly tls: RunningTls['store']
}

async function startGateway(config: Config, { engine, metrics, log, tls }: GatewayParts): Promise<Gateway> {
  const { strays, counters } = engine
  const gateway = await createGateway({
    listen: { sip: config.listen.sip },
    tenants: config.tenants,
    ownHosts: ownHosts(config),
    engine,
    log,
    product: `Trunkline/${VERSION}`,
    advertise: config.media.advertise,
    tls,
    origins: config.api.origins,
    sessionTimer: { seconds: config.calls.sessionSeconds, minSeconds: config.calls.minSessionSeconds },
    limits: config.limits,
    dns: { timeoutMs: 1_000 * config.dns.timeoutSeconds, ...(config.dns.servers && { servers: config.dns.servers }) },
    failover: {
      silenceMs: 1_000 * config.failover.silenceSeconds,
      avoidMs: 1_000 * config.failover.avoidSeconds,
    },
    registrar: registrarConfig(config),
    metrics,
    onCallEnded: (record) => logCallRecord(log, record),
  })
  metrics.observe({
    calls: () => gateway.counts().calls,
    registrations: () => gateway.counts().registrations,
    subscriptions: () => gateway.counts().subscriptions,
    messages: () => gateway.counts().messages,
    connections: () => gateway.counts().connections,
    transactions: () => gateway.counts().transactions,
    mediaSessions: () => gateway.counts().mediaSessions,
    ...(strays === undefined ? {} : { mediaStrays: strays }),
    ...(counters === undefined ? {} : { mediaEngine: counters }),
    refresh: async () => engine.refresh?.(),
  })
  return gateway
}

function ownHosts({ media, listen: { http, https } }: Config): readonly string[] {
  return [...media.advertise, http.host, ...(https === undefined ? [] : [https.host])]
}

function registrarConfig({ registration }: Config): NonNullable<GatewayOptions['registrar']> {
  const { minSeconds, maxSeconds, contactsPerUser, returnSeconds } = registration
  return {
    minExpiresSeconds: minSeconds,
    maxExpiresSeconds: maxSeconds,
    contactsPerUser,
    graceMs: returnSeconds * 1_000,
  }
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
  parts: {
    readonly api: ApiServer
    readonly gateway: Gateway
    readonly engine: MediaEngine
    readonly tls: RunningTls
  },
  how: { readonly graceMs?: number } = {},
): Promise<void> {
  parts.tls.stop()
  await parts.gateway.stop(how) // The API stays until here: /healthz says `stopping`, /v1/events tells of the ends.
  await parts.api.stop()
  await parts.engine.stop()
}
