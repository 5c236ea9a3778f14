/** A certificate with its chain, and its key; PEM files. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** What TLS is done with; all of it files, which may change while we run. */
export interface TlsSettings {
  /**
   * The first one is shown to peers that name no host, or one that no certificate has; the others to those that name
   * one of their hosts (SNI). It is also our client certificate where a profile names no other. May be empty.
   */
  readonly certificates: readonly CertificateFiles[]
  readonly minVersion: TlsVersion
  /** CAs that certificates of clients are verified with. */
  readonly clientCa?: string
  /** CAs that servers are verified with, instead of the system's. */
  readonly ca?: string
  /** How certain peers are connected to, by the name in `SendTarget`. */
  readonly profiles: Readonly<Record<string, TlsProfile>>
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export interface TlsProfile {
  /** `none`: any certificate will do, and nothing is known of the peer. */
  readonly verify: 'peer' | 'none'
  readonly ca?: string
  readonly certificate?: CertificateFiles
  /** Names of which the certificate has to have one, besides the domain that was looked up. Lower case. */
  readonly names: readonly string[]
}

/** Whether clients show a certificate. One that `clientCa` does not prove counts as none. */
export type ClientCertificates = 'none' | 'request' | 'require'
