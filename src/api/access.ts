import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { GatewayError, LIMITS, type Secret } from '../base/index.ts'
import type { Metrics } from '../telemetry/index.ts'
import type { CallView, SessionGrant } from './model.ts'

/** Who asks. The operator sees everything, a user the calls in which they take part. */
export type Principal =
  | { readonly kind: 'operator' }
  | {
      readonly kind: 'user'
      readonly tenant: string
      readonly user: string
      /** When the session ends, in Unix ms. */
      readonly expiresAt?: number
    }

export interface Access {
  /** @throws GatewayError `API_UNAUTHORIZED`: no token, or one that is wrong or out of date. */
  principalOf(request: FastifyRequest): Principal
  /** @throws GatewayError `API_UNAUTHORIZED`: not the operator. */
  requireOperator(request: FastifyRequest): void
  grant(principal: Extract<Principal, { readonly kind: 'user' }>): SessionGrant
}

const SESSION_MS = 3_600_000

/** Tokens are random and kept here by their hash; the oldest goes when there are too many. */
export function createAccess(options: {
  readonly operatorToken: Secret
  readonly now: () => number
  readonly metrics: Metrics
}): Access {
  const operator = digest(options.operatorToken.reveal())
  const sessions = new Map<string, { readonly principal: Principal; readonly expiresAt: number }>()

  const principalOf = (request: FastifyRequest): Principal => {
    const token = /^Bearer +(\S{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) throw new GatewayError('API_UNAUTHORIZED', 'send a token: Authorization: Bearer …')
    const hash = digest(token)
    if (timingSafeEqual(hash, operator)) return { kind: 'operator' }
    const session = sessions.get(hash.toString('hex'))
    if (session !== undefined && options.now() < session.expiresAt) return session.principal
    options.metrics.authFailed('api')
    throw new GatewayError('API_UNAUTHORIZED', 'the token is wrong or out of date')
  }

  return {
    principalOf,
    requireOperator(request) {
      if (principalOf(request).kind === 'operator') return
      throw new GatewayError('API_UNAUTHORIZED', "this needs the operator's token")
    },
    grant(principal) {
      const token = randomBytes(24).toString('base64url')
      const expiresAt = options.now() + SESSION_MS
      const oldest = sessions.keys().next()
      if (sessions.size >= LIMITS.apiSessions && oldest.done !== true) sessions.delete(oldest.value)
      sessions.set(digest(token).toString('hex'), { principal: { ...principal, expiresAt }, expiresAt })
      return { token, expiresAt }
    },
  }
}

export function maySee(principal: Principal, call: Pick<CallView, 'tenant' | 'legs'>): boolean {
  if (principal.kind === 'operator') return true
  return call.tenant === principal.tenant && call.legs.some((leg) => leg.party === `user:${principal.user}`)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
