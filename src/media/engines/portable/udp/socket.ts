import { isIPv6 } from 'node:net'
import { DgramAsPromised, type Socket, type SocketAsPromised, type SocketOptions } from 'dgram-as-promised'

/** Gets each datagram. The buffer belongs to the receiver. */
export type OnDatagram = (datagram: Buffer, address: string, port: number) => void

/** A bound UDP socket whose failures are counted and never thrown: a lost packet is nothing special. */
export class UdpSocket {
  readonly address: string
  readonly port: number
  readonly #promised: SocketAsPromised
  readonly #socket: Socket
  #sendErrors = 0
  #closed = false
  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#sendErrors++
  }

  private constructor(promised: SocketAsPromised, address: string, port: number) {
    this.#promised = promised
    this.#socket = promised.socket
    this.address = address
    this.port = port
  }

  /**
   * @param bufferBytes Wanted size of the kernel's buffers; the kernel may give less.
   * @throws The system's error (`code` is `EADDRINUSE`, `EADDRNOTAVAIL`, …).
   */
  static async bind(address: string, port: number, bufferBytes: number): Promise<UdpSocket> {
    const type = isIPv6(address) ? 'udp6' : 'udp4'
    const promised = DgramAsPromised.createSocket({
      type,
      ipv6Only: type === 'udp6',
      recvBufferSize: bufferBytes,
      sendBufferSize: bufferBytes,
      lookup: type === 'udp6' ? ALREADY_IPV6 : ALREADY_IPV4,
    })
    promised.socket.on('error', () => {}) // ICMP errors and the like: nothing to do, and no reason to die.
    try {
      const bound = await promised.bind({ port, address, exclusive: true })
      return new UdpSocket(promised, address, bound.port)
    } catch (error) {
      await promised.close().catch(() => {})
      throw error
    }
  }

  get sendErrors(): number {
    return this.#sendErrors
  }

  /** @param onFault Told what `receive` threw: one bad datagram must not end the process. */
  onDatagram(receive: OnDatagram, onFault: (error: unknown) => void): void {
    this.#socket.on('message', (datagram, from) => {
      try {
        receive(datagram, from.address, from.port)
      } catch (error) {
        onFault(error)
      }
    })
  }

  /** Sends now or never. @param address An IP address: names are not resolved. */
  send(datagram: Buffer, port: number, address: string): void {
    if (this.#closed) return
    try {
      this.#socket.send(datagram, 0, datagram.length, port, address, this.#onSent)
    } catch {
      this.#sendErrors++ // Port 0, or an address of the other family.
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#promised.close().catch(() => {})
  }
}

/** The default resolver costs a trip around the event loop even for an IP address. */
const ALREADY_IPV4: Lookup = (address, _options, done) => done(null, address, 4)
const ALREADY_IPV6: Lookup = (address, _options, done) => done(null, address, 6)

type Lookup = NonNullable<SocketOptions['lookup']>
