import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'

/** Where systems keep the CAs they trust: Debian, Red Hat, SUSE, Alpine and the BSDs. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

let known: string | undefined

/** The CAs this system trusts (`SSL_CERT_FILE` names another bundle); where it has none, those Node brings along. */
export function systemCas(): string {
  known ??= firstReadable([process.env.SSL_CERT_FILE ?? '', ...BUNDLES]) ?? rootCertificates.join('\n')
  return known
}

function firstReadable(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text.includes('BEGIN CERTIFICATE')) return text
    } catch {
      // The next one.
    }
  }
  return undefined
}
