import type { NumberRule, Tenant, Trunk, User } from '../tenancy/index.ts'
import type { RawConfig } from './schema.ts'
import { NUMBER_TARGET } from './syntax.ts'
import { trunkTlsOf } from './tls.ts'

type RawTenant = NonNullable<RawConfig['tenants']>[number]

/** The tenant as the decisions read it. The raw one has been checked. */
export function tenantOf(raw: RawTenant): Tenant {
  return {
    domain: raw.domain,
    aliases: raw.aliases,
    users: raw.users.map(userOf),
    trunks: raw.trunks.map(trunkOf),
    routes: raw.routes,
    numbers: raw.numbers.map(numberOf),
    digest: raw.digest,
    messages: { keptMs: raw.messages.keepSeconds * 1000, trunks: raw.messages.trunks },
    followRedirects: raw.followRedirects,
    ...(raw.sessionSeconds === undefined ? {} : { sessionSeconds: raw.sessionSeconds }),
    transfer: raw.transfer,
    limits: {
      concurrentCalls: raw.limits.concurrentCalls,
      maxCallDurationMs: raw.limits.maxCallSeconds * 1000,
      ringTimeoutMs: raw.limits.ringSeconds * 1000,
    },
  }
}

function userOf({ name, password, displayName }: RawTenant['users'][number]): User {
  return { name, password, ...(displayName === undefined ? {} : { displayName }) }
}

function trunkOf({ auth, tls, sessionSeconds, ...rest }: RawTenant['trunks'][number]): Trunk {
  const trunk = {
    ...rest,
    ...(tls === undefined ? {} : { tls: trunkTlsOf(tls) }),
    ...(sessionSeconds === undefined ? {} : { sessionSeconds }),
  }
  if (auth === undefined) return trunk
  return { ...trunk, auth: authOf(auth) }
}

function authOf({ realm, ...rest }: NonNullable<RawTenant['trunks'][number]['auth']>): NonNullable<Trunk['auth']> {
  return { ...rest, ...(realm === undefined ? {} : { realm }) }
}

function numberOf({ number, to }: RawTenant['numbers'][number]): NumberRule {
  const [, kind, name = ''] = NUMBER_TARGET.exec(to) ?? []
  return { number, to: { kind: kind === 'trunk' ? 'trunk' : 'user', name } }
}
