/** Kinds of DNS records that locating asks for. */
export type DnsType = 'A' | 'AAAA' | 'SRV' | 'NAPTR'

export interface DnsQuestion {
  /** Lower case, without a dot at its end. */
  readonly name: string
  readonly type: DnsType
}

/** RFC 2782. */
export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** Empty: the service is decidedly not offered. */
  readonly target: string
}

/** RFC 3403 §4.1. */
export interface NaptrRecord {
  readonly order: number
  readonly preference: number
  readonly flags: string
  readonly service: string
  readonly regexp: string
  readonly replacement: string
}

/** The records that answer a question, aliases (CNAME) followed. */
export type DnsRecords =
  | { readonly type: 'A' | 'AAAA'; readonly addresses: readonly string[] }
  | { readonly type: 'SRV'; readonly services: readonly SrvRecord[] }
  | { readonly type: 'NAPTR'; readonly pointers: readonly NaptrRecord[] }

/** What became of a question. `ttlSeconds`: how long that may be believed. */
export type DnsAnswer =
  | { readonly kind: 'found'; readonly records: DnsRecords; readonly ttlSeconds: number }
  /** There is no such name, or it has no such records (RFC 2308). */
  | { readonly kind: 'none'; readonly ttlSeconds: number }
  /** Nobody could tell: no server answered, or they are in trouble. */
  | { readonly kind: 'failed'; readonly detail: string }

/** What is known for certain: records, that there are none, or that nobody could tell. */
export type DnsFact = DnsRecords | 'none' | 'failed'
