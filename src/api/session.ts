import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../base/index.ts'
import type { Metrics } from '../telemetry/index.ts'
import type { Access } from './access.ts'
import type { GatewayControl } from './control.ts'
import { checked } from './schema.ts'

const Body = z.strictObject({
  user: z.string().min(1).max(64),
  domain: z.string().min(1).max(253),
  password: z.string().min(1).max(256),
})

/** `POST /v1/session`: a user's password for a token. */
export function sessionRoutes(
  app: FastifyInstance,
  options: {
    readonly control: GatewayControl
    readonly access: Access
    readonly metrics: Metrics
    readonly perMinute: number
    readonly tenantOf: (domain: string) => string
  },
): void {
  const config = { rateLimit: { max: options.perMinute, timeWindow: 60_000, cache: 5_000 } }
  app.post('/v1/session', { config }, async (request, reply) => {
    const credentials = checked(Body, request.body)
    if (!options.control.authenticateUser(credentials)) {
      options.metrics.authFailed('api')
      throw new GatewayError('API_UNAUTHORIZED', 'the user or the password is wrong')
    }
    const principal = { kind: 'user', tenant: options.tenantOf(credentials.domain), user: credentials.user } as const
    reply.header('cache-control', 'no-store')
    return options.access.grant(principal)
  })
}
