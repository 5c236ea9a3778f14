import type { TrunkTls } from '../tenancy/index.ts'
import type { Config, TlsConfig } from './model.ts'
import type { RawConfig } from './schema.ts'

type RawTrunk = NonNullable<RawConfig['tenants']>[number]['trunks'][number]

export function listenOf({ http, https, sip }: RawConfig['listen']): Config['listen'] {
  return { http, sip, ...(https === undefined ? {} : { https }) }
}

export function tlsOf({ certificates, minVersion, clientCa, ca, reloadSeconds }: RawConfig['tls']): TlsConfig {
  return {
    certificates,
    minVersion,
    reloadMs: reloadSeconds * 1_000,
    ...(clientCa === undefined ? {} : { clientCa }),
    ...(ca === undefined ? {} : { ca }),
  }
}

export function trunkTlsOf({ accept, verify, names, ca, certificate }: NonNullable<RawTrunk['tls']>): TrunkTls {
  return {
    accept,
    verify,
    names,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
  }
}

/** Whoever turned verification off is told so at each start. */
export function unverifiedTrunks(tenants: NonNullable<RawConfig['tenants']>): readonly string[] {
  return tenants.flatMap(({ domain, trunks }) =>
    trunks
      .filter(({ tls }) => tls?.verify === 'none')
      .map(({ name }) => `trunk ${name} of ${domain}: its certificate is not verified (tls.verify: none)`),
  )
}
