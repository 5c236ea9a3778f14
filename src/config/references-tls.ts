import type { Finding } from './finding.ts'
import type { SipListen } from './model.ts'
import { listAt, textAt, valueAt } from './raw.ts'

/** What TLS needs from elsewhere: a certificate to be a server, CAs to verify clients, one owner for each name. */
export function checkTls(root: unknown, listeners: readonly (SipListen | undefined)[]): readonly Finding[] {
  return [
    ...serversHaveCertificates(root, listeners),
    ...clientsCanBeVerified(root, listeners),
    ...trunkNamesDiffer(root),
  ]
}

function serversHaveCertificates(root: unknown, listeners: readonly (SipListen | undefined)[]): readonly Finding[] {
  if (listAt(root, 'tls', 'certificates').length > 0) return []
  const expected = 'a certificate in tls.certificates, which TLS needs'
  const https = valueAt(root, ['listen', 'https']) === undefined ? [] : [{ path: ['listen', 'https'], expected }]
  const sip = listeners.flatMap((listener, index) =>
    listener?.transport === 'tls' ? [{ path: ['listen', 'sip', index], expected }] : [],
  )
  return [...https, ...sip]
}

function clientsCanBeVerified(root: unknown, listeners: readonly (SipListen | undefined)[]): readonly Finding[] {
  const hasCa = valueAt(root, ['tls', 'clientCa']) !== undefined
  return listAt(root, 'listen', 'sip').flatMap((listener, index): readonly Finding[] => {
    const path = ['listen', 'sip', index, 'clientCertificates']
    const wanted = textAt(listener, 'clientCertificates')
    if (wanted === undefined) return []
    const transport = listeners[index]?.transport
    if (transport !== undefined && transport !== 'tls') return [{ path, expected: 'only a tls: address to have this' }]
    return wanted === 'none' || hasCa ? [] : [{ path, expected: 'tls.clientCa to be there, to verify them with' }]
  })
}

/** A request is known by the name in its certificate: none may belong to two trunks. */
function trunkNamesDiffer(root: unknown): readonly Finding[] {
  const owners = new Map<string, string>()
  const findings: Finding[] = []
  for (const [t, tenant] of listAt(root, 'tenants').entries()) {
    for (const [k, trunk] of listAt(tenant, 'trunks').entries()) {
      const owner = `tenants[${t}].trunks[${k}]`
      for (const [a, name] of listAt(trunk, 'tls', 'accept').entries()) {
        if (typeof name !== 'string') continue
        const other = owners.get(name.toLowerCase())
        if (other !== undefined && other !== owner) {
          const path = ['tenants', t, 'trunks', k, 'tls', 'accept', a]
          findings.push({ path, expected: `a name that ${other} does not accept already` })
        } else owners.set(name.toLowerCase(), owner)
      }
    }
  }
  return findings
}
