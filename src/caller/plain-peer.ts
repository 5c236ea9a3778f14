import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { ByteString } from '../base/index.ts'
import { audioWithPcmu, CODEC, type MediaDetails, type MediaPeer, PCMU, type ReceivedPacket } from './peer.ts'
import { isIpv6 } from './resolve.ts'
import { isRtcp, RtpSender, receivedPacket } from './rtp-sender.ts'

/** A SIP phone's media: plain RTP on one port. `host` is the address told to the other side. */
export async function openPlainPeer(host: string): Promise<MediaPeer> {
  const socket = createSocket({ type: isIpv6(host) ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
  socket.bind(0, host)
  await once(socket, 'listening')
  return new PlainPeer(socket, host)
}

class PlainPeer implements MediaPeer {
  onPacket: (packet: ReceivedPacket) => void = () => undefined
  readonly connected: Promise<void>
  readonly #socket: Socket
  readonly #host: string
  readonly #sender = new RtpSender()
  #remote: { host: string; port: number } | undefined
  #closed = false
  #connected: () => void = () => undefined

  constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    this.connected = new Promise((resolve) => {
      this.#connected = resolve
    })
    socket.on('message', (data) => this.#onDatagram(data))
    socket.on('error', () => undefined)
  }

  offer(): ByteString {
    return this.#description()
  }

  answer(offer: ByteString): ByteString {
    this.accept(offer)
    return this.#description()
  }

  accept(answer: ByteString): void {
    const audio = audioWithPcmu(answer)
    this.#remote = { host: audio.address, port: audio.port }
    this.#connected()
  }

  send(payload: Buffer): void {
    if (!this.#remote || this.#closed) return
    this.#socket.send(this.#sender.packet(payload), this.#remote.port, this.#remote.host, () => undefined)
  }

  state(): string {
    return this.#remote ? `sends to ${this.#remote.host}:${this.#remote.port}` : 'has no answer yet'
  }

  details(): MediaDetails | undefined {
    if (!this.#remote) return undefined
    return { codec: CODEC, security: 'none', remote: `${this.#remote.host}:${this.#remote.port}` }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #onDatagram(data: Buffer): void {
    const atMs = performance.now()
    if (isRtcp(data)) return
    const packet = receivedPacket(data, atMs)
    if (packet) this.onPacket(packet)
  }

  #description(): ByteString {
    const family = isIpv6(this.#host) ? 'IP6' : 'IP4'
    return [
      'v=0',
      `o=- ${this.#sender.ssrc} 1 IN ${family} ${this.#host}`,
      's=-',
      `c=IN ${family} ${this.#host}`,
      't=0 0',
      `m=audio ${this.#socket.address().port} RTP/AVP ${PCMU} 101`,
      `a=rtpmap:${PCMU} ${CODEC}`,
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=rtcp-mux',
      'a=sendrecv',
      '',
    ].join('\r\n')
  }
}
