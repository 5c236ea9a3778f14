import type { Socket } from 'node:net'
import type { Millis } from '../base/index.ts'
import { createStreamFramer, type Flow } from '../sip/index.ts'
import type { Connection } from './connections.ts'
import type { TransportHandler, TransportLimits } from './model.ts'

/** Probes of the system for a peer that vanished without a word. */
const KEEP_ALIVE_MS = 60_000

/** How long a peer may take to close its half, in ms. */
const CLOSE_MS = 5_000

/** Sendings of one connection whose fate is told when it ends. */
const UNANSWERED = 100

export interface TcpConnectionOptions {
  readonly socket: Socket
  readonly flow: Flow
  readonly handler: TransportHandler
  readonly limits: TransportLimits
  readonly openedBy: 'peer' | 'us'
  readonly onClose: (connection: Connection) => void
}

/**
 * SIP over one connection, TCP or TLS (RFC 3261 §18.3), whoever opened it.
 *
 * A stream whose framing is broken can never be read again: the bytes so far are handed on, so that the endpoint can
 * answer 400, and the connection is closed.
 */
export function tcpConnection(options: TcpConnectionOptions): Connection {
  const { socket, flow, handler, limits } = options
  const clock = createStreamClock(limits, options.openedBy)
  const framer = createStreamFramer()
  /** What left since the peer was heard last: if the connection ends now, it may not have been read. */
  let unanswered: number[] = []
  let cause = 'closed by the peer'
  const connection: Connection = {
    flow,
    send(sendId, data) {
      if (!socket.writable) return handler.sendFailed(sendId, 'the connection is closed')
      if (socket.writableLength > limits.sendBufferBytes) {
        handler.dropped('send-buffer-full', flow.id)
        connection.destroy('the peer does not read')
        return handler.sendFailed(sendId, 'the peer does not read')
      }
      clock.traffic()
      if (sendId !== 0 && unanswered.length < UNANSWERED) unanswered.push(sendId)
      socket.write(data, 'latin1', (error) => {
        if (error !== null && error !== undefined) handler.sendFailed(sendId, error.message)
      })
    },
    check(now) {
      const overdue = clock.overdue(now)
      if (overdue === undefined) return
      handler.dropped('idle', `${flow.id}: ${overdue}`)
      connection.destroy(overdue)
    },
    close() {
      clock.closing()
      socket.end()
    },
    destroy(why) {
      cause = why
      socket.destroy()
    },
  }
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.on('data', (bytes) => {
    if (socket.writableEnded) return // Closing: what else comes is not read.
    clock.traffic()
    if (unanswered.length > 0) unanswered = []
    const { messages, pongs, broken } = framer.push(bytes.toString('latin1'))
    for (const message of messages) {
      clock.whole()
      handler.received(flow, message)
    }
    if (pongs > 0) socket.write('\r\n') // One answers all that came together (RFC 5626 §3.5.1).
    if (broken !== undefined) {
      handler.dropped('stream-malformed', `${flow.id}: ${broken.code}`)
      cause = 'the stream cannot be framed'
      handler.received(flow, broken.data, { code: broken.code, detail: broken.detail })
      return connection.close()
    }
    clock.partial(framer.buffered > 0)
  })
  socket.on('error', (error) => {
    cause = error.message
  })
  socket.on('close', () => {
    options.onClose(connection)
    for (const sendId of unanswered) handler.sendFailed(sendId, cause)
    handler.flowClosed(flow.id, cause)
  })
  return connection
}

/** The times a stream has to keep. */
function createStreamClock(limits: TransportLimits, openedBy: 'peer' | 'us') {
  const openedAt: Millis = performance.now()
  let lastTraffic = openedAt
  let begunAt: Millis | undefined
  let closeBy: Millis | undefined
  let sawMessage = openedBy === 'us'
  return {
    traffic() {
      lastTraffic = performance.now()
    },
    whole() {
      sawMessage = true
      begunAt = undefined
    },
    partial(open: boolean) {
      begunAt = open ? (begunAt ?? performance.now()) : undefined
    },
    closing() {
      closeBy = performance.now() + CLOSE_MS
    },
    overdue(now: Millis): string | undefined {
      if (closeBy !== undefined && now > closeBy) return 'the peer does not close'
      if (begunAt !== undefined && now - begunAt > limits.partialMessageMs)
        return 'a message was begun and not finished'
      if (!sawMessage && now - openedAt > limits.connectionIdleMs) return 'no message came'
      if (now - lastTraffic > limits.tcpQuietMs) return 'no traffic'
      return undefined
    },
  }
}
