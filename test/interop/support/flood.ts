import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** Requests that may be unanswered at once: what the gateway's socket buffers hold. */
const WINDOW = 100
/** Answers that did not come within this are given up, in ms: a flood may lose some. */
const GIVE_UP_MS = 500

export interface Flood {
  /** `HOST:PORT` of the gateway. */
  readonly to: string
  readonly count: number
  /** @param sentBy Address and port of the flooding socket, for the Via. */
  message(n: number, sentBy: string): string
}

/** Sends requests as fast as they are answered. @returns how many answers of which status came. */
export async function flood({ to, count, message }: Flood): Promise<ReadonlyMap<string, number>> {
  const [host = '', port = ''] = to.split(':')
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22 })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const sentBy = `127.0.0.1:${socket.address().port}`
  const statuses = new Map<string, number>()
  let answered = 0
  let sent = 0
  let more: () => void = () => undefined
  socket.on('message', (data) => {
    answered++
    const status = data.toString('latin1', 8, 11)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    more()
  })
  await new Promise<void>((resolve) => {
    let lost: NodeJS.Timeout | undefined
    more = () => {
      clearTimeout(lost)
      while (sent < count && sent - answered < WINDOW) socket.send(message(sent++, sentBy), Number(port), host)
      if (answered >= count) return resolve()
      lost = setTimeout(() => {
        answered = sent
        more()
      }, GIVE_UP_MS)
    }
    more()
  })
  socket.close()
  return statuses
}
