import { timingSafeEqual } from 'node:crypto'
import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { GatewayControl } from '../api/index.ts'
import { LIMITS } from '../base/index.ts'
import type { CallConfig } from '../call/index.ts'
import { randomIds } from '../random.ts'
import type { TranslationPolicy } from '../sdp/index.ts'
import type { DnsQuestion, SipEndpointOptions } from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import {
  createResolver,
  openTransports,
  refuseUpgrade,
  type TransportOptions,
  type Transports,
} from '../transport/index.ts'
import { createCore } from './core.ts'
import type { Core, CoreInput, CoreOutput } from './core-model.ts'
import { createDriver, type Driver } from './driver.ts'
import { digestHash } from './hash.ts'
import { createMediaExecutor, followEvents, type MediaExecutor } from './media-executor.ts'
import type { Gateway, GatewayOptions } from './model.ts'
import { createPublished, type Published } from './published.ts'
import { type SipAddresses, sipAddresses } from './sip-addresses.ts'

/** What peers and media may take at the end, in ms. */
const FAREWELL_MS = 2_000

/** A domain that has servers over TLS too is called so if it can call back. */
const OPEN_TRANSPORTS = ['udp', 'tcp'] as const

const DROPPED = 'connection or message dropped'

/** What browsers and telephones can both speak without transcoding, best first. */
const AUDIO_CODECS = ['opus/48000', 'G722/8000', 'PCMU/8000', 'PCMA/8000']

/** Tells when the last call is over. */
interface Quiet {
  reached(): Promise<void>
  look(): void
}

interface Parts {
  readonly options: GatewayOptions
  readonly transports: Transports
  readonly core: Core
  readonly driver: Driver
  readonly media: MediaExecutor
  readonly published: Published
  readonly quiet: Quiet
}

/**
 * Opens the sockets and starts taking calls.
 *
 * @throws GatewayError `LISTEN_FAILED`: an address cannot be listened on; nothing stays open.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const early: CoreInput[] = []
  let take = (input: CoreInput): void => void early.push(input) // Until there is a core to take it.
  const transports = await openTransports(transportOptions(options), {
    received: (flow, data, broken) => take({ kind: 'received', flow, data, ...(broken && { broken }) }),
    flowClosed: (flowId) => take({ kind: 'flow-closed', flowId }),
    sendFailed: (sendId, cause) => take({ kind: 'send-failed', sendId, cause }),
    dropped(code, detail) {
      options.metrics?.sipRejected(code)
      options.log[code === 'tls-unverified' ? 'warn' : 'debug']({ code, detail }, DROPPED)
    },
  })
  const core = createCore(coreOptions(options, sipAddresses(transports.own)))
  const media = createMediaExecutor(options.engine, (input) => take(input))
  const onError = (thrown: unknown): void => options.log.error({ detail: String(thrown) }, 'an output was lost')
  const published = createPublished(core, onError)
  const quiet = createQuiet(() => core.counts().calls === 0)
  const ask = asker(options, (input) => take(input))
  const perform = performer({ options, transports, media, published, quiet, ask })
  const driver = createDriver(core, perform, onError)
  take = driver.handle
  for (const input of early) driver.handle(input)
  followEvents(options.engine, driver.handle).catch((thrown) =>
    options.log.error({ detail: String(thrown) }, 'the media engine tells nothing any more'),
  )
  return gateway({ options, transports, core, driver, media, published, quiet })
}

function transportOptions({ listen, origins, limits, advertise, tls }: GatewayOptions): TransportOptions {
  return {
    listen: listen.sip,
    webSocket: { origins: origins ?? [] },
    limits: limits ?? {},
    ...(advertise === undefined ? {} : { advertise }),
    ...(tls === undefined ? {} : { tls }),
  }
}

/** Asks the DNS what the core wants to know. */
function asker({ dns, log, metrics }: GatewayOptions, take: (input: CoreInput) => void) {
  const resolver = createResolver(dns)
  return async (question: DnsQuestion): Promise<void> => {
    const answer = await resolver.ask(question)
    metrics?.dnsAnswered(question.type, answer.kind)
    if (answer.kind === 'failed') log.warn({ ...question, detail: answer.detail }, 'the DNS could not be asked')
    take({ kind: 'dns-answer', question, answer })
  }
}

function performer(
  parts: Omit<Parts, 'core' | 'driver'> & { readonly ask: (question: DnsQuestion) => Promise<void> },
): (output: CoreOutput) => void {
  const { options, transports, media, published, quiet, ask } = parts
  return (output) => {
    switch (output.kind) {
      case 'send':
        transports.send(output.sendId, output.target, output.data)
        break
      case 'dns-query':
        void ask(output.question)
        break
      case 'alias':
        transports.alias(output.flow.id, output.port)
        break
      case 'media-open':
      case 'media-change':
      case 'media-close':
        media.execute(output)
        break
      case 'call-ended':
        options.onCallEnded?.(output.record)
        quiet.look()
        break
      case 'log':
        options.log[output.level](output.fields, output.message)
        break
      default:
        published.publish(output)
    }
  }
}

function coreOptions(options: GatewayOptions, addresses: SipAddresses) {
  const { limits = {}, metrics, failover } = options
  return {
    endpoint: endpointOptions(options, addresses),
    call: callConfig(options, addresses),
    tenants: options.tenants,
    ownHosts: [...addresses.hosts, ...(options.ownHosts ?? []).map((host) => host.toLowerCase())],
    ...(options.registrar === undefined ? {} : { registrar: options.registrar }),
    ids: options.ids ?? randomIds,
    hash: digestHash,
    wallClock: (now: number) => Math.round(Date.now() - performance.now() + now), // Follows a clock that is set anew.
    limits: {
      calls: limits.calls ?? LIMITS.calls,
      registrations: limits.registrations ?? LIMITS.registrations,
    },
    locating: {
      transports: addresses.sentBy.tls === undefined ? OPEN_TRANSPORTS : [...OPEN_TRANSPORTS, 'tls' as const],
      ...(failover?.avoidMs === undefined ? {} : { avoidMs: failover.avoidMs }),
    },
    ...(metrics === undefined ? {} : { count: metrics }),
  }
}

function endpointOptions({ product, tls }: GatewayOptions, { sentBy, own }: SipAddresses): SipEndpointOptions {
  const aliases = tls?.serverContext() !== undefined
  return { sentBy, product, ...(own === undefined ? {} : { own }), ...(aliases ? { aliases } : {}) }
}

function callConfig(options: GatewayOptions, { contactFor, own }: SipAddresses): CallConfig {
  const { product, tenants, failover, sessionTimer } = options
  const policy: TranslationPolicy = { audioCodecs: AUDIO_CODECS, video: true, srtp: 'accept' }
  return {
    contactFor,
    ...(own === undefined ? {} : { own }),
    product,
    sdp: { user: policy, trunk: policy },
    earlyMedia: 'connect',
    ...(failover?.silenceMs === undefined ? {} : { silenceMs: failover.silenceMs }),
    sessionTimer: { seconds: 1_800, minSeconds: 90, ...sessionTimer, of: sessionIntervals(tenants) },
    trustedTrunks: tenants.flatMap(({ domain, trunks }) => trunks.map(({ name }) => `${domain}/${name}`)),
  }
}

/** Session intervals that tenants and trunks ask for instead, by `tenant` and `tenant/trunk`. */
function sessionIntervals(tenants: GatewayOptions['tenants']): Readonly<Record<string, number>> {
  const of: Record<string, number> = {}
  for (const { domain, sessionSeconds, trunks } of tenants) {
    if (sessionSeconds !== undefined) of[domain] = sessionSeconds
    for (const trunk of trunks) {
      if (trunk.sessionSeconds !== undefined) of[`${domain}/${trunk.name}`] = trunk.sessionSeconds
    }
  }
  return of
}

function gateway(parts: Parts): Gateway {
  const { options, transports, core } = parts
  let stopping: Promise<void> | undefined
  const accept: Gateway['acceptWebSocket'] = (request, socket, head) => {
    if (stopping === undefined) transports.acceptWebSocket(request, socket, head)
    else refuseUpgrade(socket, { status: 503, reason: 'the gateway stops' })
  }
  return {
    addresses: transports.addresses,
    acceptWebSocket: accept,
    attachWebSocket: (server, path = '/sip') => attach(server, path, accept),
    ...control(parts, () => stopping !== undefined),
    counts: () => ({
      ...core.counts(),
      ...core.kept(),
      connections: transports.connections,
      mediaSessions: parts.media.sessions,
    }),
    stop(how = {}) {
      options.log.info({ calls: core.counts().calls }, 'stopping')
      stopping ??= stop(parts, how.graceMs ?? 0)
      return stopping
    },
  }
}

function control({ options, transports, core, driver, published }: Parts, isStopping: () => boolean): GatewayControl {
  return {
    authenticateUser: (credentials) => isPassword(options.tenants, credentials),
    calls: () => core.calls(),
    call: (id) => core.call(id),
    endCall(id, reason) {
      const isLive = core.isLive(id)
      if (isLive) driver.handle({ kind: 'end-call', call: id, reason })
      return isLive
    },
    registrations: () => core.registrations(performance.now()),
    subscribe: published.subscribe,
    status: () => ({
      status: isStopping() ? 'stopping' : 'ok',
      engine: options.engine.name,
      calls: core.counts().calls,
      registrations: core.counts().registrations,
      connections: transports.connections,
    }),
  }
}

function attach(server: Server | SecureServer, path: string, accept: Gateway['acceptWebSocket']): void {
  server.on('upgrade', (request, socket, head) => {
    const [asked] = (request.url ?? '').split('?')
    if (asked === path) accept(request, socket, head)
    else refuseUpgrade(socket, { status: 404, reason: `SIP is at ${path}` })
  })
}

/** Compares even if the user is unknown, so that the time taken does not tell who exists. */
function isPassword(tenants: readonly Tenant[], given: Parameters<GatewayControl['authenticateUser']>[0]): boolean {
  const domain = given.domain.toLowerCase()
  const tenant = tenants.find((candidate) => candidate.domain === domain || candidate.aliases.includes(domain))
  const user = tenant?.users.find(({ name }) => name === given.user)
  const isSame = timingSafeEqual(
    Buffer.from(digestHash('SHA-256', Buffer.from(given.password).toString('latin1'))),
    Buffer.from(digestHash('SHA-256', Buffer.from(user?.password.reveal() ?? '').toString('latin1'))),
  )
  return isSame && user !== undefined
}

async function stop({ core, driver, media, transports, quiet }: Parts, graceMs: number): Promise<void> {
  driver.handle({ kind: 'drain' })
  await Promise.race([quiet.reached(), elapsed(graceMs)])
  for (const { id } of core.calls()) driver.handle({ kind: 'end-call', call: id, reason: 'the gateway stops' })
  await Promise.race([quiet.reached().then(media.idle), elapsed(FAREWELL_MS)])
  driver.handle({ kind: 'farewell' })
  driver.stop()
  await transports.close()
}

function createQuiet(isQuiet: () => boolean): Quiet {
  const waiting = new Set<() => void>()
  return {
    reached: () => (isQuiet() ? Promise.resolve() : new Promise((done) => void waiting.add(done))),
    look() {
      if (isQuiet()) for (const done of waiting) done()
    },
  }
}

function elapsed(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
