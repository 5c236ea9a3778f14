import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import type { DnsAnswer, DnsQuestion } from '../../sip/index.ts'

const HOSTS_FILE = '/etc/hosts'

/** How long a name of the file is believed, in seconds: the file is looked at again then. */
const TTL_SECONDS = 10

/** Names the machine knows by itself, which nobody has to be asked for. */
export interface Hosts {
  /** `undefined`: the name is not among them. */
  answer(question: DnsQuestion): DnsAnswer | undefined
}

/** The names of a hosts file, read again when it changes, and `localhost` (RFC 6761 §6.3). */
export function createHosts(path = HOSTS_FILE): Hosts {
  let known = new Map<string, string[]>()
  let readAt = Number.NaN
  const refresh = (): void => {
    try {
      const { mtimeMs } = statSync(path)
      if (mtimeMs === readAt) return
      known = parseHosts(readFileSync(path, 'utf8'))
      readAt = mtimeMs
    } catch {
      known = new Map() // There need not be one.
    }
  }
  return {
    answer({ name, type }) {
      refresh()
      const isLocal = name === 'localhost' || name.endsWith('.localhost')
      const addresses = isLocal ? ['127.0.0.1', '::1'] : known.get(name)
      if (addresses === undefined) return undefined
      if (type !== 'A' && type !== 'AAAA') return { kind: 'none', ttlSeconds: TTL_SECONDS }
      const fitting = addresses.filter((address) => isIP(address) === (type === 'A' ? 4 : 6))
      if (fitting.length === 0) return { kind: 'none', ttlSeconds: TTL_SECONDS }
      return { kind: 'found', records: { type, addresses: fitting }, ttlSeconds: TTL_SECONDS }
    },
  }
}

function parseHosts(text: string): Map<string, string[]> {
  const known = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address === undefined || isIP(address) === 0) continue
    for (const name of names) {
      const key = name.toLowerCase()
      known.set(key, [...(known.get(key) ?? []), address])
    }
  }
  return known
}
