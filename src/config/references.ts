import { BlockList, isIP } from 'node:net'
import { DEFAULTS } from './defaults.ts'
import type { Finding } from './finding.ts'
import type { PortRange, SipListen } from './model.ts'
import { nearest } from './nearest.ts'
import { listAt, type Path, textAt, valueAt } from './raw.ts'
import { checkTls } from './references-tls.ts'
import { isNetwork, NUMBER_TARGET, parseHostPort, parsePortRange, parseSipListen } from './syntax.ts'

/**
 * What no part can know alone: names that point nowhere, things named twice, ports used twice. Works on the unchecked
 * document and ignores what is malformed there, so that these mistakes are reported together with all others.
 */
export function checkReferences(root: unknown): readonly Finding[] {
  return [
    ...listenAddressesDiffer(root),
    ...portsDoNotOverlap(root),
    ...domainsDiffer(root),
    ...trunkSourcesDiffer(root),
    ...checkTls(root, sipAddresses(root)),
    ...listAt(root, 'tenants').flatMap((tenant, index) => checkTenant(tenant, ['tenants', index])),
  ]
}

function checkTenant(tenant: unknown, at: Path): readonly Finding[] {
  const users = namesIn(tenant, 'users')
  const trunks = namesIn(tenant, 'trunks')
  return [
    ...namedOnce(tenant, at, 'users', 'name'),
    ...namedOnce(tenant, at, 'trunks', 'name'),
    ...namedOnce(tenant, at, 'routes', 'prefix'),
    ...namedOnce(tenant, at, 'numbers', 'number'),
    ...routesReachTrunks(tenant, at, trunks),
    ...numbersReachSomebody(tenant, at, users, trunks),
  ]
}

function routesReachTrunks(tenant: unknown, at: Path, trunks: readonly string[]): readonly Finding[] {
  return listAt(tenant, 'routes').flatMap((route, index) => {
    const name = textAt(route, 'trunk')
    if (name === undefined || trunks.includes(name)) return []
    return [unknownName([...at, 'routes', index, 'trunk'], 'trunk', name, trunks)]
  })
}

function numbersReachSomebody(
  tenant: unknown,
  at: Path,
  users: readonly string[],
  trunks: readonly string[],
): readonly Finding[] {
  return listAt(tenant, 'numbers').flatMap((rule, index) => {
    const [, kind, name] = NUMBER_TARGET.exec(textAt(rule, 'to') ?? '') ?? []
    if (kind === undefined || name === undefined) return []
    const known = kind === 'user' ? users : trunks
    if (known.includes(name)) return []
    return [unknownName([...at, 'numbers', index, 'to'], kind, name, known)]
  })
}

function unknownName(path: Path, what: string, name: string, known: readonly string[]): Finding {
  const expected =
    known.length === 0
      ? `the name of a ${what} of this tenant (it has none)`
      : `the name of a ${what} of this tenant: ${shortList(known)}`
  const meant = nearest(name, known)
  return { path, expected, ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }) }
}

function shortList(names: readonly string[]): string {
  return names.length <= 6 ? names.join(', ') : `${names.slice(0, 6).join(', ')} and ${names.length - 6} more`
}

function namedOnce(tenant: unknown, at: Path, key: string, field: string): readonly Finding[] {
  const seen = new Map<string, number>()
  return listAt(tenant, key).flatMap((entry, index) => {
    const name = textAt(entry, field)
    if (name === undefined) return []
    const first = seen.get(name)
    if (first === undefined) {
      seen.set(name, index)
      return []
    }
    return [{ path: [...at, key, index, field], expected: `a ${field} that ${key}[${first}] does not have already` }]
  })
}

function namesIn(tenant: unknown, key: string): readonly string[] {
  return listAt(tenant, key).flatMap((entry) => textAt(entry, 'name') ?? [])
}

function domainsDiffer(root: unknown): readonly Finding[] {
  const seen = new Map<string, string>()
  const places = listAt(root, 'tenants').flatMap((tenant, index): { path: Path; domain: string | undefined }[] => [
    { path: ['tenants', index, 'domain'], domain: textAt(tenant, 'domain') },
    ...listAt(tenant, 'aliases').map((_, alias) => ({
      path: ['tenants', index, 'aliases', alias],
      domain: textAt(tenant, 'aliases', alias),
    })),
  ])
  return places.flatMap(({ path, domain }) => {
    const name = domain?.toLowerCase()
    if (name === undefined) return []
    const first = seen.get(name)
    if (first !== undefined) return [{ path, expected: `a domain that ${first} does not have already` }]
    seen.set(name, `tenants[${path[1]}]`)
    return []
  })
}

/** A request from a trunk is known by its source address only, so no address may belong to two trunks. */
function trunkSourcesDiffer(root: unknown): readonly Finding[] {
  const seen: { readonly network: string; readonly owner: string }[] = []
  const findings: Finding[] = []
  for (const [t, tenant] of listAt(root, 'tenants').entries()) {
    for (const [k, trunk] of listAt(tenant, 'trunks').entries()) {
      const owner = `tenants[${t}].trunks[${k}]`
      for (const [a, network] of listAt(trunk, 'accept').entries()) {
        if (typeof network !== 'string' || !isNetwork(network)) continue
        const other = seen.find((entry) => entry.owner !== owner && overlap(entry.network, network))
        if (other !== undefined) {
          const path = ['tenants', t, 'trunks', k, 'accept', a]
          findings.push({ path, expected: `an address that ${other.owner} does not accept already` })
        }
        seen.push({ network, owner })
      }
    }
  }
  return findings
}

function overlap(a: string, b: string): boolean {
  return contains(a, b) || contains(b, a)
}

function contains(network: string, other: string): boolean {
  const [address = '', bits] = network.split('/')
  const [otherAddress = '', otherBits] = other.split('/')
  const family = isIP(address)
  if (family !== isIP(otherAddress)) return false
  const type = family === 6 ? 'ipv6' : 'ipv4'
  const all = family === 6 ? 128 : 32
  if (Number(otherBits ?? all) < Number(bits ?? all)) return false
  const list = new BlockList()
  list.addSubnet(address, Number(bits ?? all), type)
  return list.check(otherAddress, type)
}

function listenAddressesDiffer(root: unknown): readonly Finding[] {
  const seen = new Map<string, string>()
  const findings: Finding[] = []
  const note = (path: Path, key: string, where: string, port: number): void => {
    const first = seen.get(key)
    if (first !== undefined && port !== 0) findings.push({ path, expected: `an address that ${first} does not use` })
    else seen.set(key, where)
  }
  for (const [index, sip] of sipAddresses(root).entries()) {
    if (sip === undefined) continue
    const protocol = sip.transport === 'udp' ? 'udp' : 'tcp'
    note(['listen', 'sip', index], `${protocol} ${sip.host} ${sip.port}`, `listen.sip[${index}]`, sip.port)
  }
  const http = parseHostPort(textAt(root, 'listen', 'http') ?? DEFAULTS.http)
  if (http !== undefined) note(['listen', 'http'], `tcp ${http.host} ${http.port}`, 'listen.http', http.port)
  const https = parseHostPort(textAt(root, 'listen', 'https') ?? '')
  if (https !== undefined) note(['listen', 'https'], `tcp ${https.host} ${https.port}`, 'listen.https', https.port)
  return findings
}

/** In the order of the list; `undefined` for what is malformed. */
function sipAddresses(root: unknown): readonly (SipListen | undefined)[] {
  const written = valueAt(root, ['listen', 'sip'])
  const texts: readonly unknown[] = Array.isArray(written) ? written : DEFAULTS.sip
  return texts.map((entry) => {
    const text = typeof entry === 'string' ? entry : textAt(entry, 'address')
    return text === undefined ? undefined : parseSipListen(text)
  })
}

function portsDoNotOverlap(root: unknown): readonly Finding[] {
  const webrtc = mediaPorts(root, 'webrtcPorts')
  const rtp = mediaPorts(root, 'rtpPorts')
  const findings: Finding[] = []
  if (webrtc !== undefined && rtp !== undefined && webrtc.from <= rtp.to && rtp.from <= webrtc.to) {
    findings.push({ path: ['media', 'rtpPorts'], expected: 'a range that media.webrtcPorts does not touch' })
  }
  if (rtp !== undefined && firstEven(rtp.from) + 1 > rtp.to) {
    findings.push({ path: ['media', 'rtpPorts'], expected: 'a range with an even port and the odd one after it' })
  }
  for (const [index, sip] of sipAddresses(root).entries()) {
    const inside = (range: PortRange | undefined): boolean =>
      range !== undefined && sip?.transport === 'udp' && sip.port >= range.from && sip.port <= range.to
    if (!inside(webrtc) && !inside(rtp)) continue
    findings.push({ path: ['listen', 'sip', index], expected: 'a UDP port outside of the media ports' })
  }
  return findings
}

function mediaPorts(root: unknown, key: 'webrtcPorts' | 'rtpPorts'): PortRange | undefined {
  const value = valueAt(root, ['media', key]) ?? DEFAULTS[key]
  return typeof value === 'string' || typeof value === 'number' ? parsePortRange(String(value)) : undefined
}

function firstEven(port: number): number {
  return port + (port % 2)
}
