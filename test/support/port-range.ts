import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** Below the ports that systems give to sockets which name none. */
const PORTS = { from: 10_000, to: 32_000 }

/**
 * Ports for `pairs` of RTP and RTCP that were free a moment ago. Another range each time: a test's late packets do not
 * reach the next one, and tests run side by side.
 */
export async function freePairs(pairs: number): Promise<{ readonly from: number; readonly to: number }> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const from = 2 * randomInt(PORTS.from / 2, PORTS.to / 2 - pairs)
    const ports = Array.from({ length: 2 * pairs }, (_, n) => from + n)
    const free = await Promise.all(ports.map(isFree))
    if (free.every((each) => each)) return { from, to: from + 2 * pairs - 1 }
  }
  throw new Error(`no ${pairs} free pairs of ports`)
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  const bound = once(socket, 'listening').then(
    () => true,
    () => false,
  )
  socket.bind(port)
  const isFree = await bound
  await new Promise<void>((done) => void socket.close(() => done()))
  return isFree
}
