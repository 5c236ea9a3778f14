import { encodeUtf8, type Millis } from '../base/index.ts'
import {
  type Authorization,
  createChallenge,
  createNonces,
  type Flow,
  type HeaderField,
  type Nonces,
  parseAuthorization,
  parseUri,
  type SipRequest,
  uriEquals,
  verifyDigest,
} from '../sip/index.ts'
import type { Tenant, User } from '../tenancy/index.ts'
import type { CoreOptions } from './core-model.ts'

/** What a request's credentials are worth. */
export type AuthResult =
  | { readonly kind: 'user'; readonly user: User }
  /** Ask again: none were given, they are wrong, or the nonce is old. */
  | { readonly kind: 'challenge'; readonly headers: readonly HeaderField[]; readonly wrong: boolean }

/** Challenge of a registrar (401) or of a proxy (407), RFC 3261 §22. */
export type AuthRole = 'server' | 'proxy'

const NONCE_LIFETIME_MS = 300_000
const MD5_ALONE = ['MD5'] as const

const HEADERS = {
  server: { challenge: 'WWW-Authenticate', answer: 'Authorization' },
  proxy: { challenge: 'Proxy-Authenticate', answer: 'Proxy-Authorization' },
} as const

/** What a client claims, and of whom. */
interface Claim {
  readonly authorization: Authorization
  readonly request: SipRequest
  readonly user: User | undefined
  readonly algorithms: NonNullable<Tenant['digest']>
}

/** Digest authentication of a tenant's users (RFC 3261 §22, RFC 8760); the realm is the tenant's domain. */
export class UserAuth {
  readonly #nonces: Nonces
  readonly #hash: CoreOptions['hash']

  constructor({ hash, ids }: Pick<CoreOptions, 'hash' | 'ids'>) {
    const secret = ids.token(256)
    this.#hash = hash
    this.#nonces = createNonces({
      secretHash: (text) => hash('SHA-256', `${secret}${hash('SHA-256', encodeUtf8(`${secret}${text}`))}`),
      ids,
      lifetimeMs: NONCE_LIFETIME_MS,
    })
  }

  /**
   * Whose request it is.
   *
   * @throws GatewayError `SIP_AUTH_MALFORMED`.
   */
  check(
    request: SipRequest,
    flow: Flow,
    about: { readonly tenant: Tenant; readonly role: AuthRole },
    now: Millis,
  ): AuthResult {
    const { tenant, role } = about
    const authorization = this.#credentials(request, tenant.domain)
    if (authorization === undefined)
      return { kind: 'challenge', headers: this.#challenges(flow, about, now), wrong: false }
    const name = userOf(authorization.username)
    const user = tenant.users.find((candidate) => candidate.name === name)
    const algorithms = offered(flow, tenant)
    const isRight = this.#isRight({ authorization, request, user, algorithms }) && isAboutUs(authorization, request)
    const nonce = isRight ? this.#nonces.check(authorization.nonce, authorization.nonceCount, now) : 'unknown'
    if (nonce === 'ok' && user !== undefined) return { kind: 'user', user }
    const headers = this.#challenges(flow, { tenant, role, stale: nonce === 'stale' }, now)
    return { kind: 'challenge', headers, wrong: !isRight }
  }

  /** Of several credentials (RFC 3261 §22.3) those for our realm, in either header: clients mix them up. */
  #credentials(request: SipRequest, realm: string): Authorization | undefined {
    for (const { answer } of Object.values(HEADERS)) {
      for (const { name, value } of request.headers.fields()) {
        if (name !== answer) continue
        const authorization = parseAuthorization(value)
        if (authorization?.realm === encodeUtf8(realm)) return authorization
      }
    }
    return undefined
  }

  /** An unknown user's password is checked too, so that the time taken does not tell who exists. */
  #isRight({ authorization, request, user, algorithms }: Claim): boolean {
    const proves = verifyDigest({
      authorization,
      method: request.method,
      password: user?.password.reveal() ?? '',
      hash: this.#hash,
      algorithms,
      body: request.body,
    })
    return proves && user !== undefined
  }

  #challenges(
    flow: Flow,
    { tenant, role, stale = false }: { readonly tenant: Tenant; readonly role: AuthRole; readonly stale?: boolean },
    now: Millis,
  ): readonly HeaderField[] {
    const nonce = this.#nonces.issue(now)
    return offered(flow, tenant).map((algorithm) => ({
      name: HEADERS[role].challenge,
      value: createChallenge({ realm: tenant.domain, nonce, algorithm, stale }),
    }))
  }
}

/**
 * MD5 alone unless the tenant wants more: browsers' stacks abort when SHA-256 stands among the challenges, and so do
 * phones on libre up to 1.1 ("Function not implemented").
 */
function offered({ transport }: Flow, tenant: Tenant): NonNullable<Tenant['digest']> {
  return transport === 'ws' || transport === 'wss' ? MD5_ALONE : (tenant.digest ?? MD5_ALONE)
}

/** `alice` or `alice@example.test`. */
function userOf(username: string): string {
  const at = username.indexOf('@')
  return at === -1 ? username : username.slice(0, at)
}

/**
 * The digest covers a URI; it must be the Request-URI (RFC 3261 §22.4), so that it cannot be used for another call. A
 * SIP URI without user is a client's way to name the server itself and steers no call.
 */
function isAboutUs(authorization: Authorization, request: SipRequest): boolean {
  if (authorization.uri === request.uri) return true
  try {
    const covered = parseUri(authorization.uri)
    const isServer = covered.user === undefined && covered.opaque === undefined
    return isServer || uriEquals(covered, parseUri(request.uri))
  } catch {
    return false
  }
}
