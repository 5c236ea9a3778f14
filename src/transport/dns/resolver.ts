import { getServers } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { LIMITS } from '../../base/index.ts'
import type { DnsAnswer, DnsQuestion, HostPort } from '../../sip/index.ts'
import { createHosts, type Hosts } from './hosts.ts'
import { query } from './query.ts'

export interface ResolverOptions {
  /** Servers to ask, in this order. Absent: the system's, and what else the system knows names by. */
  readonly servers?: readonly HostPort[]
  /** How long one server may take, in ms. Default 2_000. */
  readonly timeoutMs?: number
  /** Default: `/etc/hosts`. */
  readonly hosts?: Hosts
}

/** Asks the DNS. Node's own resolver does not tell how long SRV and NAPTR records may be believed. */
export interface Resolver {
  /** Never rejects: what goes wrong is an answer of kind `failed`. */
  ask(question: DnsQuestion): Promise<DnsAnswer>
}

/** Times each server is asked before it counts as silent: datagrams get lost. */
const ROUNDS = 2
const TIMEOUT_MS = 2_000

/** How long an address is believed that the system found in its own way, in seconds. */
const SYSTEM_TTL_SECONDS = 30

/** The port of DNS. */
const DNS_PORT = 53

export function createResolver(options: ResolverOptions = {}): Resolver {
  const hosts = options.hosts ?? createHosts()
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  let underWay = 0
  const overNetwork = async (question: DnsQuestion): Promise<DnsAnswer> => {
    const servers = options.servers ?? systemServers()
    const answer = await askInTurn(question, servers, timeoutMs)
    const mayKnowMore = options.servers === undefined && (answer.kind === 'none' || servers.length === 0)
    return mayKnowMore ? ((await systemAnswer(question)) ?? answer) : answer
  }
  return {
    async ask(question) {
      const known = hosts.answer(question)
      if (known !== undefined) return known
      if (underWay >= LIMITS.dnsQuestions) return { kind: 'failed', detail: 'too many questions at once' }
      underWay++
      try {
        return await overNetwork(question)
      } finally {
        underWay--
      }
    },
  }
}

async function askInTurn(question: DnsQuestion, servers: readonly HostPort[], timeoutMs: number): Promise<DnsAnswer> {
  let last: DnsAnswer = { kind: 'failed', detail: 'there is no DNS server' }
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) {
      last = await query({ question, server, timeoutMs })
      if (last.kind !== 'failed') return last
    }
  }
  return last
}

/** What the system finds an address by besides the DNS: search domains, mDNS, names of containers. */
async function systemAnswer({ name, type }: DnsQuestion): Promise<DnsAnswer | undefined> {
  if (type !== 'A' && type !== 'AAAA') return undefined
  try {
    const found = await lookup(name, { all: true, family: type === 'A' ? 4 : 6 })
    const addresses = found.map(({ address }) => address)
    return { kind: 'found', records: { type, addresses }, ttlSeconds: SYSTEM_TTL_SECONDS }
  } catch {
    return undefined
  }
}

function systemServers(): readonly HostPort[] {
  return getServers().flatMap((text) => serverOf(text) ?? [])
}

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`. */
export function serverOf(text: string): HostPort | undefined {
  if (isIP(text) !== 0) return { host: text, port: DNS_PORT }
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? v4 ?? ''
  const port = Number(digits)
  return isIP(host) !== 0 && port > 0 && port < 65_536 ? { host, port } : undefined
}
