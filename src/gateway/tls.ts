import type { Server } from 'node:https'
import type { Config } from '../config/index.ts'
import { targetOf } from '../sip/index.ts'
import type { Tenant, Trunk } from '../tenancy/index.ts'
import { createHttpsServer, createTlsStore, type TlsProfile, type TlsStore } from '../transport/index.ts'
import type { GatewayLog } from './model.ts'

/** The certificates of a gateway, looked at from time to time. */
export interface RunningTls {
  readonly store: TlsStore
  /** @throws GatewayError `CONFIG_INVALID`: there is no certificate. */
  httpsServer(): Server
  /** Reads the files at once and says in the log what came of it. */
  reload(): void
  stop(): void
}

/** How often certificates that end soon are named in the log, in ms: once a day. */
const WARN_MS = 86_400_000

/** @throws GatewayError `CONFIG_INVALID`: a file cannot be read or used. */
export function createTls(config: Pick<Config, 'tls' | 'tenants'>, log: GatewayLog): RunningTls {
  const { reloadMs, minVersion, ...files } = config.tls
  const store = createTlsStore({ ...files, minVersion: `TLSv${minVersion}`, profiles: profilesOf(config.tenants) })
  const warn = (): void => {
    for (const warning of store.warnings(Date.now())) log.warn({}, warning)
  }
  const look = (isAsked: boolean): void => report(store, log, isAsked)
  const looks = setInterval(() => look(false), reloadMs)
  const warnings = setInterval(warn, WARN_MS)
  for (const timer of [looks, warnings]) timer.unref()
  warn()
  return {
    store,
    httpsServer: () => createHttpsServer(store),
    reload: () => look(true),
    stop() {
      clearInterval(looks)
      clearInterval(warnings)
    },
  }
}

function report(store: TlsStore, log: GatewayLog, isAsked: boolean): void {
  const result = store.reload()
  if (result.kind === 'failed') log.error({ detail: result.problem }, 'TLS files cannot be used, the old ones stay')
  else if (result.kind === 'changed') log.info({}, 'TLS files changed: new connections use them')
  else if (isAsked) log.info({}, 'TLS files have not changed')
}

/**
 * How each trunk is connected to. Requests inside a call go where the trunk's Contact says, which is often no name: the
 * certificate found there may be that of a target's host.
 */
function profilesOf(tenants: readonly Tenant[]): Readonly<Record<string, TlsProfile>> {
  return Object.fromEntries(
    tenants.flatMap(({ domain, trunks }) => trunks.map((trunk) => [`${domain}/${trunk.name}`, profileOf(trunk)])),
  )
}

function profileOf({ tls, targets }: Trunk): TlsProfile {
  const hosts = targets.map(targetOf).flatMap((target) => (target.kind === 'address' && target.secure?.domain) || [])
  const { verify = 'peer', names = [], ca, certificate } = tls ?? {}
  return {
    verify,
    names: [...new Set([...names, ...hosts.map((host) => host.toLowerCase())])],
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
  }
}
