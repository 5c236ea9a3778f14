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
  /** Counts a connection that is not there yet, until the function it returns is called. */
  hold(address: string): () => void
  /** @param trust What the peer's certificate was verified with; only of TLS connections of ours. */
  add(connection: Connection, trust?: string): void
  remove(connection: Connection): void
  byFlow(flowId: string): Connection | undefined
  byRemote(transport: TransportName, remote: HostPort, trust?: string): Connection | undefined
  /** The connection stands for this port of its peer's address from now on (RFC 5923), until it ends. */
  alias(flowId: string, port: number): void
  byAlias(transport: TransportName, remote: HostPort): Connection | undefined
  all(): Iterable<Connection>
  readonly size: number
}

export function createConnectionTable(
  limits: Pick<TransportLimits, 'connections' | 'connectionsPerAddress'>,
): ConnectionTable {
  const flows = new Map<string, Connection>()
  const remotes = new Map<string, Connection>()
  const aliases = new Map<string, Connection>()
  /** Keys in `remotes` and the key in `aliases` of connections that have another than their flow's. */
  const trusts = new Map<Connection, string>()
  const aliasOf = new Map<Connection, string>()
  const perAddress = new Map<string, number>()
  let made = 0
  let held = 0
  const count = (address: string, change: 1 | -1): void => {
    const key = addressKey(address)
    const open = (perAddress.get(key) ?? 0) + change
    if (open > 0) perAddress.set(key, open)
    else perAddress.delete(key)
  }
  const forgetAlias = (connection: Connection): void => {
    const key = aliasOf.get(connection)
    if (key === undefined) return
    aliasOf.delete(connection)
    if (aliases.get(key) === connection) aliases.delete(key)
  }
  return {
    flowId: (transport) => `${transport} ${++made}`,
    admits: (address) =>
      flows.size + held < limits.connections &&
      (perAddress.get(addressKey(address)) ?? 0) < limits.connectionsPerAddress,
    hold(address) {
      let isHeld = true
      held++
      count(address, 1)
      return () => {
        if (!isHeld) return
        isHeld = false
        held--
        count(address, -1)
      }
    },
    add(connection, trust) {
      const { id, transport, remote } = connection.flow
      flows.set(id, connection)
      remotes.set(remoteKey(transport, remote, trust), connection)
      if (trust !== undefined) trusts.set(connection, trust)
      count(remote.host, 1)
    },
    remove(connection) {
      const { id, transport, remote } = connection.flow
      if (!flows.delete(id)) return
      const key = remoteKey(transport, remote, trusts.get(connection))
      if (remotes.get(key) === connection) remotes.delete(key)
      trusts.delete(connection)
      forgetAlias(connection)
      count(remote.host, -1)
    },
    byFlow: (flowId) => flows.get(flowId),
    byRemote: (transport, remote, trust) => remotes.get(remoteKey(transport, remote, trust)),
    alias(flowId, port) {
      const connection = flows.get(flowId)
      if (connection === undefined) return
      const key = remoteKey(connection.flow.transport, { host: connection.flow.remote.host, port })
      forgetAlias(connection)
      aliases.set(key, connection)
      aliasOf.set(connection, key)
    },
    byAlias: (transport, remote) => aliases.get(remoteKey(transport, remote)),
    all: () => flows.values(),
    get size() {
      return flows.size
    },
  }
}

function remoteKey(transport: TransportName, remote: HostPort, trust?: string): string {
  const key = `${transport} ${remote.host} ${remote.port}`
  return trust === undefined ? key : `${key} ${trust}`
}

/** Whoever has one IPv6 address mostly has the whole /64; counting single addresses would bound nothing. */
function addressKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = ''] = address.split('::')
  const groups = address.includes('::') ? [...head.split(':').filter(Boolean), '0', '0', '0', '0'] : address.split(':')
  return groups.slice(0, 4).join(':')
}
