import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import rateLimit from '@fastify/rate-limit'
import { type FastifyInstance, fastify } from 'fastify'
import { asGatewayError, type FaultCode, GatewayError, LIMITS, type Secret } from '../base/index.ts'
import type { HostPort } from '../sip/index.ts'
import type { Log, Metrics } from '../telemetry/index.ts'
import { createAccess } from './access.ts'
import { callRoutes } from './calls.ts'
import type { GatewayControl } from './control.ts'
import { createEventStreams } from './events.ts'
import type { ApiError, PageInfo } from './model.ts'
import { pageRoutes } from './page.ts'
import { sessionRoutes } from './session.ts'
import { statusRoutes } from './status.ts'

export interface ApiOptions {
  readonly control: GatewayControl
  readonly metrics: Metrics
  readonly log: Log
  /** The operator's key of `/v1`. */
  readonly operatorToken: Secret
  readonly page: PageInfo
  /** Folder of the built page; without it `/` says how to build it. */
  readonly webRoot: string
  /** The tenant's own domain for any of its names. Default: the name in lower case. */
  readonly tenantOf?: (domain: string) => string
  /** Default: the system's clock, in Unix ms. */
  readonly now?: () => number
  /** Sign-in attempts of one address in a minute. Default 60. */
  readonly sessionsPerMinute?: number
}

export interface ApiServer {
  /** For the SIP WebSocket's upgrade. */
  readonly server: Server
  /** @throws GatewayError `LISTEN_FAILED`. */
  listen(address: HostPort): Promise<HostPort>
  /** The same on a further server, which is closed with this one. @throws GatewayError `LISTEN_FAILED`. */
  listenOver(server: SecureServer, address: HostPort): Promise<HostPort>
  /** Ends event streams and open requests, closes the socket. */
  stop(): Promise<void>
  /** For tests: a request without a socket. */
  readonly inject: FastifyInstance['inject']
}

/** The HTTP side: the page, `/v1`, `/healthz`, `/metrics`. */
export async function createApiServer(options: ApiOptions): Promise<ApiServer> {
  const now = options.now ?? Date.now
  const app = fastify({
    bodyLimit: LIMITS.apiBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    logger: false,
  })
  app.server.maxConnections = LIMITS.connections
  const access = createAccess({ operatorToken: options.operatorToken, now, metrics: options.metrics })
  const events = createEventStreams({ control: options.control, now })
  protectEverything(app, options.log)
  await app.register(rateLimit, { global: false })
  await app.register(async (scope) => pageRoutes(scope, options))
  statusRoutes(app, options)
  sessionRoutes(app, {
    ...options,
    access,
    perMinute: options.sessionsPerMinute ?? 60,
    tenantOf: options.tenantOf ?? ((domain) => domain.toLowerCase()),
  })
  callRoutes(app, { control: options.control, access })
  events.route(app, access)
  const further: SecureServer[] = []
  return {
    server: app.server,
    listen: async (address) => {
      await listenOn(app, address)
      return boundTo(app.server, address)
    },
    listenOver: async (server, address) => {
      server.on('request', (request, response) => app.routing(request, response))
      server.listen({ ...address })
      await once(server, 'listening').catch((thrown) => {
        throw listenFailed('HTTPS', address, thrown)
      })
      further.push(server)
      return boundTo(server, address)
    },
    stop: async () => {
      events.stop()
      for (const server of further) {
        server.close()
        server.closeAllConnections()
      }
      await app.close()
    },
    inject: app.inject.bind(app),
  }
}

/** A request has to be whole by then: nobody keeps a connection with half of one. */
const REQUEST_TIMEOUT_MS = 20_000

const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'self'",
    "connect-src 'self' ws: wss:",
    "img-src 'self' data:",
    "media-src 'self' blob: data: mediastream:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(self)',
} as const

function protectEverything(app: FastifyInstance, log: Log): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS)
  })
  app.setNotFoundHandler(async (request, reply) => {
    await reply.code(404).send(errorBody('API_NOT_FOUND', `there is no ${request.method} ${request.url.slice(0, 100)}`))
  })
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = faultOf(thrown)
    if (error.blame === 'bug') log.error({ method: request.method, url: request.url, err: error.message }, 'API failed')
    const hidden = error.blame === 'bug' ? 'something went wrong on our side' : error.message
    if (error.httpStatus === 401) reply.header('www-authenticate', 'Bearer')
    await reply.code(error.httpStatus).send(errorBody(error.code, hidden))
  })
}

/** What fastify itself refuses (body too large, not JSON, too many requests) as a fault of ours. */
function faultOf(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (status === 429) return new GatewayError('API_OVERLOADED', message, { cause: thrown })
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new GatewayError('API_BAD_REQUEST', message, { cause: thrown })
  }
  return asGatewayError(thrown)
}

function errorBody(code: FaultCode, message: string): ApiError {
  return { error: { code, message } }
}

function boundTo(server: Server | SecureServer, { host, port }: HostPort): HostPort {
  const bound = server.address()
  return { host, port: typeof bound === 'object' && bound !== null ? bound.port : port }
}

async function listenOn(app: FastifyInstance, address: HostPort): Promise<void> {
  try {
    await app.listen({ ...address }) // It adds to what it is given.
  } catch (thrown) {
    throw listenFailed('HTTP', address, thrown)
  }
}

function listenFailed(what: string, { host, port }: HostPort, thrown: unknown): GatewayError {
  const reason = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)
  return new GatewayError('LISTEN_FAILED', `${what} cannot listen on ${host}:${port}: ${reason}`, { cause: thrown })
}
