import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/**
 * The SIP domains a certificate is for (RFC 5922 §7.1), lower case: the hosts of its `sip:` URIs; without any, its DNS
 * names; without any alternative name, the common name. Its IP addresses are added, for peers that have no name.
 */
export function identitiesOf(certificate: X509Certificate): readonly string[] {
  const names = alternativeNames(certificate.subjectAltName)
  const addresses = valuesOf(names, 'IP Address')
  const uris = valuesOf(names, 'URI').flatMap(sipDomain)
  const domains = uris.length > 0 ? uris : valuesOf(names, 'DNS')
  const all = names.length > 0 ? [...domains, ...addresses] : commonName(certificate.subject)
  return [...new Set(all.map((name) => name.toLowerCase()))]
}

/**
 * Whether one of the names a peer may have is among the identities of its certificate (RFC 5922 §7.2). A wildcard is a
 * name like any other: whoever expects one has to write it.
 */
export function isProved(expected: readonly string[], identities: readonly string[]): boolean {
  return expected.some((name) => identities.includes(normalName(name)))
}

/** The certificate of this host as browsers match it (RFC 9525 §6.3): a `*` stands for one label, the first. */
export function isForHost(host: string, identities: readonly string[]): boolean {
  const name = normalName(host)
  const dot = name.indexOf('.')
  return identities.includes(name) || (dot > 0 && identities.includes(`*${name.slice(dot)}`))
}

function normalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

interface AlternativeName {
  readonly type: string
  readonly value: string
}

/** Node writes `DNS:a, URI:sip:b`, and in quotes what could be read as more than one. */
function alternativeNames(text: string | undefined): readonly AlternativeName[] {
  const entries = (text ?? '').matchAll(/(?:^|, )([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)
  return [...entries].map(([, type = '', value = '']) => ({ type, value: unquoted(value) }))
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value
  try {
    return String(JSON.parse(value))
  } catch {
    return '' // Proves nothing.
  }
}

function valuesOf(names: readonly AlternativeName[], type: string): readonly string[] {
  return names.filter((name) => name.type === type).map(({ value }) => value)
}

/** A URI with a user is a person's, and `sips` is no identity (RFC 5922 §7.1). */
function sipDomain(uri: string): readonly string[] {
  const [, host] = /^sip:(\[[0-9a-f:.]+\]|[a-z0-9.-]+)$/i.exec(uri) ?? []
  return host === undefined ? [] : [host.replace(/^\[|\]$/g, '')]
}

function commonName(subject: string): readonly string[] {
  const [, name] = /^CN=([A-Za-z0-9.*-]+)$/m.exec(subject) ?? []
  return name === undefined || isIP(name) !== 0 ? [] : [name]
}
