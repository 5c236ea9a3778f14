import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Millis } from '../base/index.ts'
import type { Flow } from '../sip/index.ts'
import type { Connection, ConnectionTable } from './connections.ts'
import type { TransportHandler, TransportLimits } from './model.ts'
import { plainAddress } from './resolve.ts'
import { refusalOf, refuseUpgrade, SUBPROTOCOL } from './websocket-handshake.ts'

export interface WebSocketTransport {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}

export interface WebSocketTransportOptions {
  readonly origins: readonly string[]
  readonly limits: TransportLimits
  readonly connections: ConnectionTable
  readonly handler: TransportHandler
}

/** SIP over WebSocket (RFC 7118), on sockets that an HTTP server hands over. */
export function createWebSocketTransport(options: WebSocketTransportOptions): WebSocketTransport {
  const { connections, handler, limits } = options
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false, // Compressing secrets beside text a peer chose tells the secrets (CRIME).
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
  })
  return {
    accept(request, socket, head) {
      const refusal = refusalOf(request, options.origins)
      if (refusal !== undefined) {
        handler.dropped(refusal.drop, `${request.socket.remoteAddress}: ${refusal.reason}`)
        return refuseUpgrade(socket, refusal)
      }
      if (!connections.admits(request.socket.remoteAddress ?? '')) {
        handler.dropped('connections-exhausted', request.socket.remoteAddress ?? '')
        return refuseUpgrade(socket, { status: 503, reason: 'too many connections' })
      }
      server.handleUpgrade(request, socket, head, (ws) => {
        const flow = flowOf(request, connections)
        connections.add(webSocketConnection({ ws, flow, ...options }))
      })
    },
    close: () => server.close(),
  }
}

function flowOf(request: IncomingMessage, connections: ConnectionTable): Flow {
  const { socket } = request
  const transport = 'encrypted' in socket && socket.encrypted === true ? 'wss' : 'ws'
  return {
    id: connections.flowId(transport),
    transport,
    local: { host: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
    remote: { host: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 },
  }
}

/** How long a peer may take to answer our close, in ms. */
const CLOSE_MS = 5_000

function webSocketConnection(options: WebSocketTransportOptions & { ws: WebSocket; flow: Flow }): Connection {
  const { ws, flow, handler, limits, connections } = options
  const life = createSignsOfLife(limits)
  let cause = 'closed by the peer'
  const connection: Connection = {
    flow,
    send(sendId, data) {
      if (ws.readyState !== ws.OPEN) return handler.sendFailed(sendId, 'the WebSocket is closed')
      if (ws.bufferedAmount > limits.sendBufferBytes) {
        handler.dropped('send-buffer-full', flow.id)
        connection.destroy('the peer does not read')
        return handler.sendFailed(sendId, 'the peer does not read')
      }
      const bytes = Buffer.from(data, 'latin1')
      ws.send(bytes, { binary: !isUtf8(bytes) }, (error) => {
        if (error !== null && error !== undefined) handler.sendFailed(sendId, error.message)
      })
    },
    check(now) {
      const verdict = life.check(now)
      if (verdict === 'ping') return ws.ping()
      if (verdict === undefined) return
      handler.dropped(verdict, flow.id)
      connection.destroy(verdict === 'silent' ? 'no sign of life' : 'no message came')
    },
    close() {
      life.closing()
      ws.close(1001, 'going away')
    },
    destroy(why) {
      cause = why
      ws.terminate()
    },
  }
  ws.on('message', (data) => {
    life.message()
    handler.received(flow, bytesOf(data).toString('latin1'))
  })
  ws.on('pong', life.sign)
  ws.on('ping', life.sign)
  ws.on('error', (error) => {
    cause = error.message
    if (isTooLarge(error)) handler.dropped('frame-too-large', flow.id)
  })
  ws.on('close', () => {
    connections.remove(connection)
    handler.flowClosed(flow.id, cause)
  })
  return connection
}

type Verdict = 'ping' | 'silent' | 'idle' | undefined

/** A peer that lost its network sends no FIN: only asking shows that it is gone. */
function createSignsOfLife(limits: TransportLimits) {
  const openedAt: Millis = performance.now()
  let lastSign = openedAt
  let askedAt: Millis | undefined
  let sawMessage = false
  let closeBy: Millis | undefined
  const sign = (): void => {
    lastSign = performance.now()
    askedAt = undefined
  }
  return {
    sign,
    message() {
      sawMessage = true
      sign()
    },
    closing() {
      closeBy = performance.now() + CLOSE_MS
    },
    check(now: Millis): Verdict {
      if (closeBy !== undefined && now > closeBy) return 'silent'
      if (!sawMessage && now - openedAt > limits.webSocketIdleMs) return 'idle'
      if (askedAt !== undefined) return now - askedAt > limits.pingMs ? 'silent' : undefined
      if (now - lastSign < limits.pingMs) return undefined
      askedAt = now
      return 'ping'
    },
  }
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
}
