import { Secret } from '../base/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import type { Config, SipListen } from './model.ts'
import { configSchema } from './schema.ts'
import { tlsOf } from './tls.ts'

export const DEMO_DOMAIN = 'demo.trunkline.test'

const DEMO_USERS = [
  { name: 'alice', displayName: 'Alice' },
  { name: 'bob', displayName: 'Bob' },
  { name: 'carol', displayName: 'Carol' },
] as const

/** The tenant of a first call: three users whose passwords are made for this run, no trunks. */
export function builtinTenant(newPassword: () => string): Tenant {
  return {
    domain: DEMO_DOMAIN,
    aliases: [],
    users: DEMO_USERS.map((user) => ({ ...user, password: new Secret(newPassword()) })),
    trunks: [],
    routes: [],
    numbers: [],
    limits: { concurrentCalls: 100, maxCallDurationMs: 4 * 3_600_000, ringTimeoutMs: 120_000 },
  }
}

/** The configuration of a start without a file: the demo tenant on `host`. */
export function demoConfig(host: string, newPassword: () => string): Config {
  const { store: _store, tenants: _tenants, api, tls, ...defaults } = configSchema((value) => ({ value })).parse({})
  return {
    ...defaults,
    listen: {
      http: { ...defaults.listen.http, host },
      sip: defaults.listen.sip.map((address): SipListen => ({ ...address, host })),
    },
    tls: tlsOf(tls),
    api: { origins: api.origins },
    tenants: [builtinTenant(newPassword)],
    demo: true,
    notices: [],
  }
}
