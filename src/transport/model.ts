import type { ByteString } from '../base/index.ts'
import type { Flow, HostPort, SendTarget, StreamFault } from '../sip/index.ts'
import type { ClientCertificates } from './tls/model.ts'
import type { TlsStore } from './tls/store.ts'

/** One address to take SIP on. */
export interface SipListen {
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** IP address or name of this machine; `0.0.0.0` and `::` for all. */
  readonly host: string
  /** 0: the system picks a free port. */
  readonly port: number
  /** Told to peers in Via and Contact instead of the address that is bound. */
  readonly advertise?: AdvertisedAddress
  /** Only of `tls`. Default `none`. */
  readonly clientCertificates?: ClientCertificates
}

/** A host, and a port where the NAT changes that too. */
export interface AdvertisedAddress {
  readonly host: string
  readonly port?: number
}

/** What the sockets tell the one who owns them. None of these may throw. */
export interface TransportHandler {
  /** One whole message as it came; with `broken`, a stream's bytes that can never form one, and why. */
  received(flow: Flow, data: ByteString, broken?: StreamFault): void
  /** A connection is gone. Never called for UDP. */
  flowClosed(flowId: string, cause: string): void
  /** The bytes given to `send` with this id did not leave. */
  sendFailed(sendId: number, cause: string): void
  /** Something was dropped or refused before it was a message; `code` is one of a fixed list. */
  dropped(code: TransportDrop, detail: string): void
}

export type TransportDrop =
  | 'connections-exhausted'
  | 'origin-refused'
  | 'subprotocol-missing'
  | 'frame-too-large'
  | 'stream-malformed'
  | 'idle'
  | 'silent'
  | 'send-buffer-full'
  | 'socket-error'
  | 'tls-handshake-failed'
  | 'tls-handshake-timeout'
  | 'tls-handshakes-exhausted'
  | 'tls-certificate-missing'
  | 'tls-unverified'

/** What the transports need besides the sockets. */
export interface TransportOptions {
  readonly listen: readonly SipListen[]
  readonly webSocket?: WebSocketOptions
  /** Certificates of `tls` listeners and of our connections over TLS. Without them nothing connects over TLS. */
  readonly tls?: TlsStore
  /** Addresses told to peers instead of those a listener is bound to, the first of its family; not of loopback ones. */
  readonly advertise?: readonly string[]
  readonly limits?: Partial<TransportLimits>
}

export interface WebSocketOptions {
  /** Origins (`https://example.test`) besides the page's own host. */
  readonly origins: readonly string[]
}

/** Bounds and times; each defaults to its entry in `LIMITS` or to what stands beside it. */
export interface TransportLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
  /** Time in ms a new TCP connection may stay without a whole message. */
  readonly connectionIdleMs: number
  /** The same for a WebSocket, which shows by its pongs that somebody is there. Default 600_000. */
  readonly webSocketIdleMs: number
  readonly sendBufferBytes: number
  readonly messageBytes: number
  /** Time in ms to reach a peer over TCP, and over TLS to finish the handshake. Default 4_000. */
  readonly connectTimeoutMs: number
  /** TLS handshakes of peers at once, and the time for each in ms. */
  readonly tlsHandshakes: number
  readonly tlsHandshakeMs: number
  /** A begun message must be whole within this, in ms. Default 10_000. */
  readonly partialMessageMs: number
  /** A TCP connection without traffic for this long, in ms, is closed. Default 3_600_000. */
  readonly tcpQuietMs: number
  /** A WebSocket is asked for a sign of life this often, in ms, and closed if none came since. Default 20_000. */
  readonly pingMs: number
}

/** An address that is really listened on. */
export interface BoundAddress extends HostPort {
  readonly transport: 'udp' | 'tcp' | 'tls'
}

/** How messages leave. */
export interface Sending {
  /** Bytes for `target`. A failure is told later through `sendFailed(sendId)`, never thrown. */
  send(sendId: number, target: SendTarget, data: ByteString): void
}
