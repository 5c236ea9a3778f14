import { connect, isIP, type Socket } from 'node:net'
import type { AddressTarget } from '../sip/index.ts'
import type { Connection } from './connections.ts'
import { ipLiteral, resolve } from './resolve.ts'
import { adopt, type StreamContext } from './stream.ts'
import { openSecure, type SecureConnection, secureReuse } from './tls/client.ts'

/** Sends over TCP and TLS to addresses: on the connection that is open (RFC 3261 §18.1.1), else on a new one. */
export interface Dialer {
  send(sendId: number, to: AddressTarget, data: string): void
  close(): void
}

interface Parcel {
  readonly sendId: number
  readonly data: string
}

interface Dial {
  add(parcel: Parcel): void
  giveUp(cause: string): void
}

export function createDialer(context: StreamContext): Dialer {
  /** Connections on their way, by what they are to, and what waits for them. */
  const dialling = new Map<string, Dial>()
  return {
    send(sendId, to, data) {
      const literal = ipLiteral(to.to.host)
      const open = literal === undefined ? undefined : openTo(to, literal, context)
      if (open !== undefined) return open.send(sendId, data)
      const key = keyOf(to)
      const dial = dialling.get(key) ?? startDial(to, context, () => dialling.delete(key))
      dialling.set(key, dial)
      dial.add({ sendId, data })
    },
    close() {
      for (const dial of dialling.values()) dial.giveUp('the gateway stops')
    },
  }
}

function keyOf({ transport, to, secure }: AddressTarget): string {
  const key = `${transport} ${to.host} ${to.port}`
  return secure === undefined ? key : `${key} ${secure.domain} ${secure.profile ?? ''}`
}

/** The open connection that may carry messages to the target, whose address is `host`. */
function openTo(target: AddressTarget, host: string, context: StreamContext): Connection | undefined {
  const remote = { host, port: target.to.port }
  if (target.transport === 'tls') return secureReuse(target, remote, context)
  return context.connections.byRemote('tcp', remote)
}

function startDial(target: AddressTarget, context: StreamContext, onEnd: () => void): Dial {
  const { handler, limits } = context
  let waiting: Parcel[] = []
  let bytes = 0
  let socket: Socket | undefined
  let ended = false
  const finish = (deliver: (parcel: Parcel) => void): void => {
    if (ended) return
    ended = true
    clearTimeout(timer)
    onEnd()
    const parcels = waiting
    waiting = []
    for (const parcel of parcels) deliver(parcel)
  }
  const giveUp = (cause: string): void => {
    finish(({ sendId }) => handler.sendFailed(sendId, cause))
    socket?.destroy()
  }
  const timer = setTimeout(() => giveUp(`no connection within ${limits.connectTimeoutMs} ms`), limits.connectTimeoutMs)
  const dial = async (): Promise<void> => {
    const host = await resolve(target.to.host)
    if (ended) return
    const reusable = openTo(target, host, context)
    if (reusable !== undefined) return finish(({ sendId, data }) => reusable.send(sendId, data))
    if (context.connections.size >= limits.connections) return giveUp('too many connections')
    const opened = open(target, host, context, (secured) => {
      const connection = adopt(opened, context, { transport: secured ? 'tls' : 'tcp', openedBy: 'us', ...secured })
      finish(({ sendId, data }) => connection.send(sendId, data))
    })
    socket = opened
    opened.once('error', (error) => giveUp(error.message))
  }
  dial().catch((thrown) => giveUp(thrown instanceof Error ? thrown.message : String(thrown)))
  return {
    add(parcel) {
      bytes += parcel.data.length
      if (bytes > limits.sendBufferBytes) return handler.sendFailed(parcel.sendId, 'too much waits for this peer')
      waiting.push(parcel)
    },
    giveUp,
  }
}

/** @throws Error with a sentence, if nothing can be tried. */
function open(
  target: AddressTarget,
  host: string,
  context: StreamContext,
  onOpen: (secured?: SecureConnection) => void,
): Socket {
  const address = { host, port: target.to.port }
  if (target.transport === 'tls') return openSecure({ target, address }, context, onOpen)
  if (isIP(host) === 0) throw new Error(`${host} is no address`)
  return connect(address, () => onOpen())
}
