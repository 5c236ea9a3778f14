import { networkInterfaces } from 'node:os'
import type { HostPort, TransportName } from '../sip/index.ts'
import type { BoundAddress } from '../transport/index.ts'

/** How peers are told to reach us: `sent-by` of Via, and our Contact, by transport. */
export interface SipAddresses {
  readonly sentBy: Partial<Record<TransportName, HostPort>>
  readonly contactFor: Partial<Record<TransportName, string>>
  /** Every name a Request-URI may call us by. Lower case. */
  readonly hosts: readonly string[]
}

/** @param advertise Host told to peers instead of the listener's own address. */
export function sipAddresses(bound: readonly BoundAddress[], advertise: string | undefined): SipAddresses {
  const sentBy: Partial<Record<TransportName, HostPort>> = {}
  for (const { transport, host, port } of bound) sentBy[transport] ??= { host: advertise ?? reachable(host), port }
  const [first = { host: advertise ?? '127.0.0.1', port: 5060 }] = Object.values(sentBy)
  for (const transport of ['ws', 'wss'] as const) sentBy[transport] = first
  const contactFor = Object.fromEntries(
    Object.entries(sentBy).map(([transport, address]) => [transport, contactUri(transport, address)]),
  )
  const named = bound.flatMap(({ host }) => (isWildcard(host) ? ownAddresses() : [host]))
  const hosts = [...named, ...(advertise === undefined ? [] : [advertise]), 'localhost']
  return { sentBy, contactFor, hosts: [...new Set(hosts.map((host) => host.toLowerCase()))] }
}

function contactUri(transport: string, { host, port }: HostPort): string {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return `sip:${bracketed}:${port}${transport === 'udp' ? '' : `;transport=${transport === 'wss' ? 'ws' : transport}`}`
}

function reachable(host: string): string {
  if (!isWildcard(host)) return host
  return ownAddresses().find((address) => !isLoopback(address)) ?? '127.0.0.1'
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** This machine's addresses, IPv4 first. */
function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return [...all.filter(({ family }) => family === 'IPv4'), ...all.filter(({ family }) => family === 'IPv6')].map(
    ({ address }) => address,
  )
}
