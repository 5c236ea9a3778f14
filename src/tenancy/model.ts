import type { Secret } from '../base/index.ts'

/** One customer of the platform. */
export interface Tenant {
  /** SIP domain, lower case; the tenant's identity. */
  readonly domain: string
  /** Other names of the domain. */
  readonly aliases: readonly string[]
  readonly users: readonly User[]
  readonly trunks: readonly Trunk[]
  readonly routes: readonly Route[]
  readonly numbers: readonly NumberRule[]
  readonly limits: TenantLimits
  readonly messages?: MessagePolicy
  /** Whether 3xx of its users' phones are followed, within what that user may call. Default true. */
  readonly followRedirects?: boolean
  /** Session interval its parties are asked for (RFC 4028), in seconds; 0: none. Default: that of the platform. */
  readonly sessionSeconds?: number
  /** What becomes of a REFER of its users; default `gateway`. */
  readonly transfer?: TransferPolicy
  /** Algorithms its phones are challenged with, in this order (RFC 8760); default MD5. Browsers know MD5 only. */
  readonly digest?: readonly ('MD5' | 'SHA-256')[]
}

export interface User {
  readonly name: string
  readonly displayName?: string
  readonly password: Secret
}

/** A carrier or PBX. */
export interface Trunk {
  readonly name: string
  /** SIP URIs tried in order. */
  readonly targets: readonly string[]
  /** Source addresses (IP or CIDR) whose requests belong to this trunk. */
  readonly accept: readonly string[]
  /** TLS with this trunk, in both directions. */
  readonly tls?: TrunkTls
  /** Answers digest challenges of this trunk, and of no other. */
  readonly auth?: { readonly username: string; readonly password: Secret; readonly realm?: string }
  /** SDES-SRTP toward this trunk. */
  readonly srtp: 'offer' | 'accept' | 'never'
  /** Whether its 3xx are followed to the hosts of its own targets. Default true. */
  readonly followRedirects?: boolean
  /** Its calls carry no offer; it makes one in its answer (RFC 3261 §13.2.1). */
  readonly lateOffer?: boolean
  /** As that of the tenant, for this trunk alone. */
  readonly sessionSeconds?: number
  /** What becomes of a REFER of this trunk; default `refuse`. */
  readonly transfer?: TransferPolicy
}

export interface TrunkTls {
  /** Names of client certificates whose requests belong to this trunk, lower case; like `accept`. */
  readonly accept: readonly string[]
  /** `none`: its certificate is not looked at. */
  readonly verify: 'peer' | 'none'
  /** Names that its certificate may have instead of the target's host, lower case. */
  readonly names: readonly string[]
  /** File of the CAs it is verified with. */
  readonly ca?: string
  /** Files of the certificate shown to it. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

/** A transfer (REFER) is carried out by us, passed on to the other side of the call, or refused. */
export type TransferPolicy = 'gateway' | 'pass' | 'refuse'

/** Where a tenant's own users may call: longest prefix wins. */
export interface Route {
  readonly prefix: string
  readonly trunk: string
  /** Digits removed from the front before the number is sent. */
  readonly strip: number
  readonly prepend: string
}

/** Where a number dialled on a trunk rings: `user:NAME` or `trunk:NAME`. */
export interface NumberRule {
  readonly number: string
  readonly to: { readonly kind: 'user' | 'trunk'; readonly name: string }
}

/** Instant messages of its users (RFC 3428). */
export interface MessagePolicy {
  /** How long a message waits for a user that is not registered; 0: it does not. */
  readonly keptMs: number
  /** Whether messages go to trunks and come from them; default no. */
  readonly trunks: boolean
}

export interface TenantLimits {
  readonly concurrentCalls: number
  readonly maxCallDurationMs: number
  readonly ringTimeoutMs: number
}
