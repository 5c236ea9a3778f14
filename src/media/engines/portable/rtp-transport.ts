import { isIP } from 'node:net'
import { GatewayError, type Millis } from '../../../base/index.ts'
import type { RemoteRtpMedium, SrtpSuite } from '../../model.ts'
import type { EngineParts } from './parts.ts'
import { emptyHeader, isRtcp, type RtpHeader, readRtp } from './rtp/index.ts'
import { SourceLatch } from './source-latch.ts'
import { SdesContexts, type SrtpPair } from './srtp/index.ts'
import type { StreamTransport } from './stream.ts'
import type { UdpSocket } from './udp/socket.ts'

/** A pair of sockets on an even port and the next one (RFC 3550 §11). */
export interface RtpSockets {
  readonly rtp: UdpSocket
  readonly rtcp: UdpSocket
}

export interface RtpReceiverEnd {
  onRtp(packet: Buffer, header: RtpHeader, now: Millis): void
  onRtcp(compound: Buffer, now: Millis): void
}

/** One medium toward a SIP peer: plain RTP or SDES-SRTP on its own ports, with the checks of where media comes from. */
export class RtpTransport implements StreamTransport {
  readonly #sockets: RtpSockets
  readonly #now: () => Millis
  readonly #latch: SourceLatch
  readonly #header = emptyHeader()
  #end: RtpReceiverEnd | undefined
  #remote: RemoteRtpMedium | undefined
  #rtcpAddress = ''
  readonly #keys = new SdesContexts()
  #srtp: SrtpPair | undefined
  #discarded = 0

  /** `signalledFrom`: see RtpSideSpec. */
  constructor(
    sockets: RtpSockets,
    { latch, now, onFault }: Pick<EngineParts, 'latch' | 'now' | 'onFault'>,
    signalledFrom?: string,
  ) {
    this.#sockets = sockets
    this.#now = now
    this.#latch = new SourceLatch(latch, signalledFrom)
    sockets.rtp.onDatagram((datagram, address, port) => {
      if (isRtcp(datagram)) this.#onRtcp(datagram, address)
      else this.#onRtp(datagram, address, port)
    }, onFault)
    sockets.rtcp.onDatagram((datagram, address) => {
      if (isRtcp(datagram)) this.#onRtcp(datagram, address)
      else this.#discarded++
    }, onFault)
  }

  /** Who gets what arrives. */
  attach(end: RtpReceiverEnd): void {
    this.#end = end
  }

  /** Packets from a wrong source, not authentic, repeated or not RTP. */
  get discarded(): number {
    const counters = this.#srtp?.receive.counters
    return this.#discarded + (counters === undefined ? 0 : counters.failed + counters.replayed)
  }

  get suite(): SrtpSuite | undefined {
    return this.#srtp?.send.suite
  }

  /** Where media goes to, and comes from. */
  get remoteText(): string | undefined {
    const { address, port } = this.#latch
    if (port === 0) return undefined
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  }

  /** @throws GatewayError `MEDIA_SPEC_INVALID`: not an IP address, or keys that do not fit; nothing changed. */
  applyRemote(remote: RemoteRtpMedium): void {
    const address = canonicalAddress(remote.address)
    const rtcpAddress = canonicalAddress(remote.rtcpAddress)
    this.#srtp = remote.srtp && this.#keys.of(remote.srtp.local, remote.srtp.remote)
    this.#remote = remote
    this.#rtcpAddress = rtcpAddress
    // Nobody is at the unspecified address: the old way of putting a call on hold (RFC 3264 §8.4).
    this.#latch.signal(address, isUnspecified(address) ? 0 : remote.port)
  }

  get canSend(): boolean {
    return this.#latch.port !== 0
  }

  sendRtp(packet: Buffer): boolean {
    const { port, address } = this.#latch
    if (port === 0) return false
    const out = this.#srtp === undefined ? packet : this.#srtp.send.protectRtp(packet)
    if (out === undefined) return false
    this.#sockets.rtp.send(out, port, address)
    return true
  }

  sendRtcp(packet: Buffer): void {
    const remote = this.#remote
    if (remote === undefined || this.#latch.port === 0) return
    const out = this.#srtp === undefined ? packet : this.#srtp.send.protectRtcp(packet)
    if (out === undefined) return
    if (remote.rtcpMux) this.#sockets.rtp.send(out, this.#latch.port, this.#latch.address)
    else if (remote.rtcpPort > 0) this.#sockets.rtcp.send(out, remote.rtcpPort, this.#rtcpTo(remote))
  }

  /** Where RTP turned out to be, unless the peer named a place of its own for RTCP. */
  #rtcpTo(remote: RemoteRtpMedium): string {
    return remote.rtcpAddress === remote.address ? this.#latch.address : this.#rtcpAddress
  }

  async close(): Promise<void> {
    await Promise.all([this.#sockets.rtp.close(), this.#sockets.rtcp.close()])
  }

  #onRtp(datagram: Buffer, address: string, port: number): void {
    if (!this.#latch.mayBe(address, port)) {
      this.#discarded++
      return
    }
    const packet = this.#srtp === undefined ? datagram : this.#srtp.receive.unprotectRtp(datagram)
    if (packet === undefined) return // Counted by the context.
    const header = readRtp(packet, this.#header)
    const now = this.#now()
    if (header === undefined || !this.#latch.accepts({ address, port }, header.ssrc, header.sequence, now)) {
      this.#discarded++
      return
    }
    this.#end?.onRtp(packet, header, now)
  }

  /** RTCP changes no address, so any port of the peer will do: few senders say where theirs comes from. */
  #onRtcp(datagram: Buffer, address: string): void {
    if (this.#latch.port === 0 || (address !== this.#latch.address && address !== this.#rtcpAddress)) {
      this.#discarded++
      return
    }
    const compound = this.#srtp === undefined ? datagram : this.#srtp.receive.unprotectRtcp(datagram)
    if (compound !== undefined) this.#end?.onRtcp(compound, this.#now())
  }
}

/** An IP address as the socket layer prints it. */
function canonicalAddress(address: string): string {
  switch (isIP(address)) {
    case 4:
      return address
    case 6:
      return new URL(`http://[${address}]`).hostname.slice(1, -1)
    default:
      throw new GatewayError('MEDIA_SPEC_INVALID', `${address} is not an IP address`)
  }
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
