import type { Secret } from '../base/index.ts'
import type { HostPort } from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'

/** Everything an operator can say, checked and with defaults filled in. Frozen. */
export interface Config {
  readonly listen: { readonly http: HostPort; readonly https?: HostPort; readonly sip: readonly SipListen[] }
  readonly tls: TlsConfig
  readonly media: MediaConfig
  readonly api: ApiConfig
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'auto' | 'json' | 'text' }
  readonly dns: DnsConfig
  readonly failover: FailoverConfig
  readonly calls: CallsConfig
  readonly limits: PlatformLimits
  readonly registration: RegistrationConfig
  readonly tenants: readonly Tenant[]
  /** The only tenant is the demo one: its passwords were made for this run and may be shown. */
  readonly demo: boolean
  /** What the operator should know although it is not a mistake, one sentence each. */
  readonly notices: readonly string[]
}

export interface SipListen {
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly host: string
  /** 0: the system picks a free port. */
  readonly port: number
  /** Told to peers instead of what is bound; without a port the bound one. */
  readonly advertise?: { readonly host: string; readonly port?: number }
  /** Only of `tls`: whether clients show a certificate. */
  readonly clientCertificates?: 'none' | 'request' | 'require'
}

/** Paths of PEM files, as they are opened. */
export interface TlsConfig {
  /** The first one is for peers that name no host or an unknown one. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[]
  readonly minVersion: '1.2' | '1.3'
  readonly clientCa?: string
  readonly ca?: string
  /** How often the files are looked at. */
  readonly reloadMs: number
}

export interface MediaConfig {
  readonly engine: 'auto' | 'native' | 'portable'
  /** Path of the native engine's control socket. Absent: one for this user and these ports. */
  readonly control?: string | undefined
  /** How the native engine reads and writes datagrams. */
  readonly io: 'auto' | 'batch' | 'uring'
  /** Relay threads of the native engine, at most one per WebRTC port. Absent: one for each core. */
  readonly threads?: number | undefined
  /** IP addresses told to peers. Empty: the machine's own. */
  readonly advertise: readonly string[]
  readonly webrtcPorts: PortRange
  readonly rtpPorts: PortRange
}

export interface ApiConfig {
  /** Absent: one is made for each run. */
  readonly token?: Secret
  /** Web origins besides our own that may open `/sip`. */
  readonly origins: readonly string[]
}

/** Where the names of trunks are looked up. */
export interface DnsConfig {
  /** Absent: those of the system. */
  readonly servers?: readonly HostPort[] | undefined
  /** How long one server may take. */
  readonly timeoutSeconds: number
}

/** When a call goes on to the next target of a trunk. */
export interface FailoverConfig {
  /** How long a target may say nothing at all. */
  readonly silenceSeconds: number
  /** How long one that did not serve is tried last. */
  readonly avoidSeconds: number
}

/** Session timers (RFC 4028) where tenant and trunk say nothing else; in seconds, 0: none is asked for. */
export interface CallsConfig {
  readonly sessionSeconds: number
  readonly minSessionSeconds: number
}

/** Both ends included. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

/** What a REGISTER may ask for. */
export interface RegistrationConfig {
  readonly minSeconds: number
  readonly maxSeconds: number
  readonly contactsPerUser: number
  /** How long a call waits for a browser whose WebSocket closed. */
  readonly returnSeconds: number
}

/** Of the whole process; a tenant's own are in `Tenant.limits`. */
export interface PlatformLimits {
  readonly calls: number
  readonly registrations: number
  readonly connections: number
}

/** One thing wrong with the text of a configuration. */
export interface Mistake {
  /** `tenants[0].users[1].password`; empty for the document itself. */
  readonly path: string
  /** From 1; of the value, or of the nearest thing around it that is in the text. */
  readonly line?: number
  readonly column?: number
  /** What stands there, shortened; secrets are not shown. */
  readonly found: string
  readonly expected: string
  /** What is probably meant. */
  readonly hint?: string
}
