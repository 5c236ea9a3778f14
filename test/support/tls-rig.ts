import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as plainConnect, type Socket } from 'node:net'
import { after } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Flow } from '../../src/sip/index.ts'
import type { SipListen, TransportDrop, TransportHandler, TransportLimits } from '../../src/transport/model.ts'
import type { TlsSettings } from '../../src/transport/tls/model.ts'
import { createTlsStore, type TlsStore } from '../../src/transport/tls/store.ts'
import { openTransports, type Transports } from '../../src/transport/transports.ts'
import { createTestCa, type TestCa, type TestCertificate } from './certificates.ts'

export const OPTIONS = [
  'OPTIONS sip:a@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1',
  'From: <sip:b@127.0.0.1>;tag=1',
  'To: <sip:a@127.0.0.1>',
  'Call-ID: 1',
  'CSeq: 1 OPTIONS',
  'Content-Length: 0',
  '',
  '',
].join('\r\n')

/** What a handshake may take on a busy machine, in ms. */
const PATIENCE_MS = 30_000

/** What the transports tell, with promises for what comes next. */
export class Recorder implements TransportHandler {
  readonly #events = new EventEmitter()
  readonly #waiting = new Map<string, unknown[][]>()
  readonly drops: string[] = []
  received(flow: Flow, data: string): void {
    this.#put('received', [flow, data])
  }
  flowClosed(flowId: string, cause: string): void {
    this.#put('closed', [flowId, cause])
  }
  sendFailed(sendId: number, cause: string): void {
    this.#put('failed', [sendId, cause])
  }
  dropped(code: TransportDrop, detail: string): void {
    this.drops.push(`${code}: ${detail}`)
    this.#put('dropped', [code, detail])
  }
  async flow(): Promise<Flow> {
    return (await this.next('received'))[0] as Flow
  }
  async next(what: 'received' | 'closed' | 'failed' | 'dropped'): Promise<unknown[]> {
    for (;;) {
      const first = this.#waiting.get(what)?.shift()
      if (first !== undefined) return first
      await once(this.#events, what)
    }
  }
  #put(what: string, values: unknown[]): void {
    this.#waiting.set(what, [...(this.#waiting.get(what) ?? []), values])
    this.#events.emit(what)
  }
}

/** Made when the test file is loaded, gone after its tests. */
export const ca: TestCa = createTestCa()
export const gatewayCert: TestCertificate = ca.issue(['DNS:gw.test', 'IP:127.0.0.1'])
export const sockets: Socket[] = []
const opened: Transports[] = []
after(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(opened.map((transports) => transports.close()))
  ca.remove()
})

export function storeOf(settings: Partial<TlsSettings> = {}): TlsStore {
  return createTlsStore({ certificates: [gatewayCert], minVersion: 'TLSv1.2', ca: ca.file, profiles: {}, ...settings })
}

interface Wanted {
  readonly tls?: TlsStore
  readonly listen?: Partial<SipListen>
  readonly limits?: Partial<TransportLimits>
}

export async function start({ tls = storeOf(), listen = {}, limits = {} }: Wanted = {}) {
  const handler = new Recorder()
  const at: SipListen = { transport: 'tls', host: '127.0.0.1', port: 0, ...listen }
  const transports = await openTransports(
    { listen: [at], tls, limits: { connectTimeoutMs: PATIENCE_MS, ...limits } },
    handler,
  )
  opened.push(transports)
  return { handler, transports, tls, port: transports.addresses[0]?.port ?? 0 }
}

export async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'gw.test', rejectUnauthorized: false, ...options })
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

/** A peer that knows nothing of TLS. */
export function plainPeer(port: number): Socket {
  const socket = plainConnect(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  return socket.resume()
}

export async function isClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close')
}

export function shownBy(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.subjectAltName ?? ''
}

export function certificateOf({ cert, key }: TestCertificate) {
  return { cert: readPem(cert), key: readPem(key) }
}

export function readPem(path: string): string {
  return readFileSync(path, 'utf8')
}
