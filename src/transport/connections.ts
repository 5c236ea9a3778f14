import { isIPv6 } from 'node:net'
import type { Millis } from '../base/index.ts'
import type { Flow, HostPort, TransportName } from '../sip/index.ts'
import type { TransportLimits } from './model.ts'

/** One stream or WebSocket to a peer. */
export interface Connection {
  readonly flow: Flow
  send(sendId: number, data: string): void
  /** Ends the connection if it broke one of its times. Called about once a second. */
  check(now: Millis): void
  /** Lets what is written leave, then closes. */
  close(): void
  /** Closes at once. */
  destroy(cause: string): void
}

/** All open connections: found by flow or by the peer's address, and bounded in total and per address. */
export interface ConnectionTable {
  /** A name that no other flow of this process ever had. */
  flowId(transport: TransportName): string
  /** Whether one more connection of that address may be opened. */
  admits(address: string): boolean
  add(connection: Connection): void
  remove(connection: Connection): void
  byFlow(flowId: string): Connection | undefined
  byRemote(transport: TransportName, remote: HostPort): Connection | undefined
  all(): Iterable<Connection>
  readonly size: number
}

export function createConnectionTable(
  limits: Pick<TransportLimits, 'connections' | 'connectionsPerAddress'>,
): ConnectionTable {
  const flows = new Map<string, Connection>()
  const remotes = new Map<string, Connection>()
  const perAddress = new Map<string, number>()
  let made = 0
  const count = (address: string, change: 1 | -1): void => {
    const key = addressKey(address)
    const open = (perAddress.get(key) ?? 0) + change
    if (open > 0) perAddress.set(key, open)
    else perAddress.delete(key)
  }
  return {
    flowId: (transport) => `${transport} ${++made}`,
    admits: (address) =>
      flows.size < limits.connections && (perAddress.get(addressKey(address)) ?? 0) < limits.connectionsPerAddress,
    add(connection) {
      flows.set(connection.flow.id, connection)
      remotes.set(remoteKey(connection.flow.transport, connection.flow.remote), connection)
      count(connection.flow.remote.host, 1)
    },
    remove(connection) {
      if (!flows.delete(connection.flow.id)) return
      const key = remoteKey(connection.flow.transport, connection.flow.remote)
      if (remotes.get(key) === connection) remotes.delete(key)
      count(connection.flow.remote.host, -1)
    },
    byFlow: (flowId) => flows.get(flowId),
    byRemote: (transport, remote) => remotes.get(remoteKey(transport, remote)),
    all: () => flows.values(),
    get size() {
      return flows.size
    },
  }
}

function remoteKey(transport: TransportName, remote: HostPort): string {
  return `${transport} ${remote.host} ${remote.port}`
}

/** Whoever has one IPv6 address mostly has the whole /64; counting single addresses would bound nothing. */
function addressKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = ''] = address.split('::')
  const groups = address.includes('::') ? [...head.split(':').filter(Boolean), '0', '0', '0', '0'] : address.split(':')
  return groups.slice(0, 4).join(':')
}
