import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TransportDrop } from './model.ts'

/** Why an upgrade is refused. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 503
  readonly reason: string
  readonly drop: TransportDrop
}

/** The subprotocol of RFC 7118 §4.1. */
export const SUBPROTOCOL = 'sip'

/**
 * Whether an upgrade request may become a SIP WebSocket: it must offer subprotocol `sip` (RFC 7118 §4.1) and, if it
 * comes from a page, from a page of ours or of an allowed origin.
 */
export function refusalOf(request: IncomingMessage, origins: readonly string[]): Refusal | undefined {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (!offered.includes(SUBPROTOCOL)) {
    return { status: 400, reason: 'Sec-WebSocket-Protocol must offer sip (RFC 7118)', drop: 'subprotocol-missing' }
  }
  if (!isAllowedOrigin(request, origins)) {
    return { status: 403, reason: 'this origin may not connect', drop: 'origin-refused' }
  }
  return undefined
}

/** Answers an upgrade with an HTTP error and closes. */
export function refuseUpgrade(socket: Duplex, refusal: Pick<Refusal, 'status' | 'reason'>): void {
  const body = `${refusal.reason}\n`
  socket.on('error', () => undefined) // The peer may be gone already.
  socket.end(
    `HTTP/1.1 ${refusal.status} ${TITLES[refusal.status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

const TITLES: Readonly<Record<Refusal['status'], string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
}

/** Browsers do not apply the same-origin rule to WebSockets, so we do. Programs send no Origin. */
function isAllowedOrigin(request: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return true
  try {
    return new URL(origin).host === host?.toLowerCase()
  } catch {
    return false // `null` (a sandboxed page, a file) or not an origin at all.
  }
}
