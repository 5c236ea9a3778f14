import type { Socket } from 'node:net'
import type { Flow } from '../sip/index.ts'
import type { Connection, ConnectionTable } from './connections.ts'
import type { TransportHandler, TransportLimits } from './model.ts'
import { plainAddress } from './resolve.ts'
import { tcpConnection } from './tcp-connection.ts'
import type { TlsStore } from './tls/store.ts'

/** What listeners and dialers of streams share. */
export interface StreamContext {
  readonly limits: TransportLimits
  readonly connections: ConnectionTable
  readonly handler: TransportHandler
  readonly tls?: TlsStore | undefined
}

export interface StreamKind {
  readonly transport: 'tcp' | 'tls'
  readonly openedBy: 'peer' | 'us'
  /** See `Flow`. */
  readonly identities?: readonly string[]
  /** See `ConnectionTable.add`. */
  readonly trust?: string
}

/** SIP begins on a socket that is connected. */
export function adopt(socket: Socket, context: StreamContext, kind: StreamKind): Connection {
  const { connections } = context
  const { openedBy } = kind
  const flow = flowOf(socket, connections, kind)
  const connection = tcpConnection({ ...context, socket, flow, openedBy, onClose: connections.remove })
  connections.add(connection, kind.trust)
  return connection
}

function flowOf(socket: Socket, connections: ConnectionTable, { transport, identities }: StreamKind): Flow {
  const flow: Flow = {
    id: connections.flowId(transport),
    transport,
    local: { host: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
    remote: { host: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 },
  }
  return identities === undefined ? flow : { ...flow, identities }
}
