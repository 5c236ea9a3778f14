import { isIPv4 } from 'node:net'
import { GatewayError, type Millis } from '../../../base/index.ts'
import { localAddressTowards } from './addresses.ts'
import type { RtpSockets } from './rtp-transport.ts'
import type { PortPool } from './udp/port-pool.ts'
import { UdpSocket } from './udp/socket.ts'

/** Ports for one medium, and the address that its peer is told. */
export interface RtpPlace {
  readonly address: string
  readonly sockets: RtpSockets
}

export interface RtpPlacesOptions {
  readonly pool: PortPool
  readonly advertise: readonly string[]
  readonly bind: string | undefined
  readonly now: () => Millis
}

/** Binds pairs of ports from the pool. */
export class RtpPlaces {
  readonly #options: RtpPlacesOptions

  constructor(options: RtpPlacesOptions) {
    this.#options = options
  }

  /**
   * A bound pair of sockets. Ports that somebody else holds are passed over.
   *
   * @throws GatewayError `MEDIA_PORTS_EXHAUSTED`.
   */
  async take(towards: string | undefined): Promise<RtpPlace> {
    const { pool, advertise, now } = this.#options
    const address = localAddressTowards(advertise, towards)
    let cause: unknown
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const port = pool.take(now())
      if (port === undefined) break
      try {
        return { address, sockets: await bindPair(this.#bindAddress(address), port) }
      } catch (error) {
        cause = error
        pool.release(port, now())
      }
    }
    throw new GatewayError('MEDIA_PORTS_EXHAUSTED', 'no pair of RTP ports is free', { cause })
  }

  /** The peer may still send there for a while: the ports rest. */
  release(place: RtpPlace): void {
    this.#options.pool.release(place.sockets.rtp.port, this.#options.now())
  }

  /** Nobody was ever told of it: closed, and free at once. */
  async abandon(place: RtpPlace): Promise<void> {
    await closePair(place.sockets)
    this.#options.pool.putBack(place.sockets.rtp.port)
  }

  /**
   * Every address of the family unless told otherwise: the system then sends from the address that fits the peer, which
   * may be loopback for one and a network for another.
   */
  #bindAddress(told: string): string {
    const { bind } = this.#options
    const wildcard = isIPv4(told) ? '0.0.0.0' : '::'
    return bind !== undefined && isIPv4(bind) === isIPv4(told) ? bind : wildcard
  }
}

async function bindPair(address: string, port: number): Promise<RtpSockets> {
  const rtp = await UdpSocket.bind(address, port, RTP_BUFFER_BYTES)
  try {
    return { rtp, rtcp: await UdpSocket.bind(address, port + 1, RTP_BUFFER_BYTES) }
  } catch (error) {
    await rtp.close()
    throw error
  }
}

export async function closePair({ rtp, rtcp }: RtpSockets): Promise<void> {
  await Promise.all([rtp.close(), rtcp.close()])
}

const MAX_ATTEMPTS = 50
/** A second of video: the process may be busy for some milliseconds. */
const RTP_BUFFER_BYTES = 262_144
