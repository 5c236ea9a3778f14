import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { createStreamFramer } from '../../../src/sip/index.ts'
import { bounded } from './child.ts'

/** A peer that says what it is told, byte by byte, and keeps what it was told. */
export interface RawPeer {
  /** Name of the transport in a Via. */
  readonly via: 'UDP' | 'TCP' | 'WS'
  /** `sent-by` of the Via it writes. */
  readonly sentBy: string
  send(data: string | Uint8Array): void
  /** SIP messages so far; a broken one too. */
  readonly received: readonly string[]
  /** The first message, now or later, that `isWanted`. */
  answer(what: string, isWanted: (message: string) => boolean, timeoutMs?: number): Promise<string>
  /** Resolves with the close code of a WebSocket (0 over TCP) once the gateway closed. */
  closed(timeoutMs?: number): Promise<number>
  readonly isClosed: boolean
  /** Stops reading, so that what the gateway writes piles up there. TCP only. */
  pause(): void
  close(): void
}

export async function udpPeer(gateway: string, from = '127.0.0.1'): Promise<RawPeer> {
  const [host = '', port = ''] = gateway.split(':')
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 21 })
  socket.bind(0, from)
  await once(socket, 'listening')
  const peer = new Remembering('UDP', `${from}:${socket.address().port}`, {
    send: (data) => socket.send(data, Number(port), host, () => undefined),
    close: () => socket.close(),
  })
  socket.on('message', (data) => peer.take(data.toString('latin1')))
  socket.on('error', () => undefined)
  return peer
}

export async function tcpPeer(gateway: string, from = '127.0.0.1'): Promise<RawPeer> {
  const [host = '', port = ''] = gateway.split(':')
  const socket = connect({ host, port: Number(port), localAddress: from, noDelay: true })
  await once(socket, 'connect')
  const framer = createStreamFramer()
  const peer = new Remembering('TCP', `${from}:${socket.localPort}`, {
    send: (data) => socket.write(data),
    pause: () => socket.pause(),
    close: () => socket.destroy(),
  })
  socket.on('data', (data) => {
    for (const message of framer.push(data.toString('latin1')).messages) peer.take(message)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => peer.end(0))
  return peer
}

export interface RawWebSocket extends RawPeer {
  readonly socket: WebSocket
}

export async function webSocketPeer(url: string): Promise<RawWebSocket> {
  const socket = new WebSocket(url, 'sip', { perMessageDeflate: false, handshakeTimeout: 5_000 })
  await once(socket, 'open')
  const peer = new Remembering('WS', 'hostile.invalid', {
    send: (data) => socket.send(data, { binary: typeof data !== 'string' }),
    close: () => socket.terminate(),
  })
  socket.on('message', (data) => peer.take((data as Buffer).toString('latin1')))
  socket.on('error', () => undefined)
  socket.on('close', (code) => peer.end(code))
  return Object.assign(peer, { socket })
}

interface Carrier {
  send(data: Buffer | string): unknown
  pause?(): unknown
  close(): void
}

class Remembering implements RawPeer {
  readonly via: RawPeer['via']
  readonly sentBy: string
  readonly received: string[] = []
  readonly #carrier: Carrier
  readonly #watchers = new Set<() => void>()
  #closeCode: number | undefined

  constructor(via: RawPeer['via'], sentBy: string, carrier: Carrier) {
    this.via = via
    this.sentBy = sentBy
    this.#carrier = carrier
  }

  get isClosed(): boolean {
    return this.#closeCode !== undefined
  }

  send(data: string | Uint8Array): void {
    const isText = this.via === 'WS' && typeof data === 'string'
    this.#carrier.send(isText ? data : typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data))
  }

  take(message: string): void {
    this.received.push(message)
    this.#tell()
  }

  end(code: number): void {
    this.#closeCode = code
    this.#tell()
  }

  answer(what: string, isWanted: (message: string) => boolean, timeoutMs = 5_000): Promise<string> {
    return this.#once(`${this.via} to get ${what}`, timeoutMs, () => this.received.find(isWanted))
  }

  closed(timeoutMs = 5_000): Promise<number> {
    return this.#once(`the gateway to close ${this.via} ${this.sentBy}`, timeoutMs, () => this.#closeCode)
  }

  pause(): void {
    this.#carrier.pause?.()
  }

  close(): void {
    this.#carrier.close()
  }

  #once<T>(what: string, timeoutMs: number, read: () => T | undefined): Promise<T> {
    return bounded(
      what,
      timeoutMs,
      () => `received:\n${this.received.join('\n---\n')}`,
      (resolve) => {
        const look = (): void => {
          const value = read()
          if (value !== undefined) resolve(value)
        }
        this.#watchers.add(look)
        look()
        return () => this.#watchers.delete(look)
      },
    )
  }

  #tell(): void {
    for (const look of this.#watchers) look()
  }
}
