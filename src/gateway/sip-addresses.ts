import type { HostPort, OwnAddress, TransportName } from '../sip/index.ts'
import { namesOf } from '../transport/index.ts'

/** How peers are told to reach us: `sent-by` of Via, and our Contact, by transport. */
export interface SipAddresses {
  readonly sentBy: Partial<Record<TransportName, HostPort>>
  readonly contactFor: Partial<Record<TransportName, string>>
  /** All of them where a transport has more than one, and each peer gets the fitting one. */
  readonly own?: readonly OwnAddress[]
  /** Every name a Request-URI may call us by. Lower case. */
  readonly hosts: readonly string[]
}

export function sipAddresses(own: readonly OwnAddress[]): SipAddresses {
  const sentBy: Partial<Record<TransportName, HostPort>> = {}
  for (const { transport, advertised } of own) sentBy[transport] ??= advertised
  const isPlain = Object.keys(sentBy).length === own.length
  const [first = { host: '127.0.0.1', port: 5060 }] = Object.values(sentBy)
  for (const transport of ['ws', 'wss'] as const) sentBy[transport] = first
  const contactFor = Object.fromEntries(
    Object.entries(sentBy).map(([transport, address]) => [transport, contactUri(transport, address)]),
  )
  const hosts = [...own.flatMap(namesOf), 'localhost'].map((host) => host.toLowerCase())
  return { sentBy, contactFor, hosts: [...new Set(hosts)], ...(isPlain ? {} : { own }) }
}

function contactUri(transport: string, { host, port }: HostPort): string {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return `sip:${bracketed}:${port}${transport === 'udp' ? '' : `;transport=${transport === 'wss' ? 'ws' : transport}`}`
}
