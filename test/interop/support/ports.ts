import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6 } from 'node:net'

/** Above what systems give to sockets that name no port. */
const PHONE_PORTS = { first: 61_000, count: 2_000 }

/** Below them, and below those of the media engines in tests. */
const SERVER_PORTS = { first: 4_000, count: 5_900 }
/** What was asked for may not be bound yet. */
const given = new Set<number>()

/**
 * A port for a phone that takes it for UDP and TCP and the next one for TLS, as baresip does. Not one of those that
 * systems hand out: somebody else would get its neighbour before the phone has started.
 */
export async function freePhonePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = PHONE_PORTS.first + 2 * Math.floor(Math.random() * PHONE_PORTS.count)
    const free = await Promise.all([bindsUdp(host, port), bindsTcp(host, port), bindsTcp(host, port + 1)])
    if (free.every((each) => each)) return port
  }
  throw new Error(`no free port for a phone at ${host}`)
}

async function bindsUdp(host: string, port: number): Promise<boolean> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const bound = once(socket, 'listening').then(
    () => true,
    () => false,
  )
  socket.bind(port, host)
  const isFree = await bound
  socket.close()
  return isFree
}

async function bindsTcp(host: string, port: number): Promise<boolean> {
  const server = createServer()
  const bound = once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.listen(port, host)
  const isFree = await bound
  if (isFree) await new Promise((resolve) => server.close(resolve))
  return isFree
}

/** A port that was free for UDP and TCP a moment ago, and that no socket gets which names none. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = SERVER_PORTS.first + Math.floor(Math.random() * SERVER_PORTS.count)
    if (given.has(port)) continue
    const free = await Promise.all([bindsUdp(host, port), bindsTcp(host, port)])
    if (!free.every((each) => each)) continue
    given.add(port)
    return port
  }
  throw new Error(`no free port at ${host}`)
}

/** `HOST:PORT`, `[HOST]:PORT` with IPv6. */
export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}
