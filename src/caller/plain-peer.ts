import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type ByteString, GatewayError } from '../base/index.ts'
import { parseSdp } from '../sdp/index.ts'
import { type MediaPeer, PCMU, type ReceivedPacket } from './peer.ts'
import { isRtcp, RtpSender, receivedPacket } from './rtp-sender.ts'

/** A SIP phone's media: plain RTP on one port. `host` is the address told to the other side. */
export async function openPlainPeer(host: string): Promise<MediaPeer> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
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
    const audio = parseSdp(answer).media.find((section) => section.kind === 'audio' && section.port !== 0)
    if (!audio) throw new GatewayError('SDP_NO_COMMON_CODEC', 'the other side takes no audio')
    this.#remote = { host: audio.address, port: audio.port }
    this.#connected()
  }

  send(payload: Buffer): void {
    if (this.#remote) this.#socket.send(this.#sender.packet(payload), this.#remote.port, this.#remote.host)
  }

  state(): string {
    return this.#remote ? `sends to ${this.#remote.host}:${this.#remote.port}` : 'has no answer yet'
  }

  close(): void {
    this.#socket.close()
  }

  #onDatagram(data: Buffer): void {
    const atMs = performance.now()
    if (isRtcp(data)) return
    const packet = receivedPacket(data, atMs)
    if (packet) this.onPacket(packet)
  }

  #description(): ByteString {
    const family = this.#host.includes(':') ? 'IP6' : 'IP4'
    return [
      'v=0',
      `o=- ${this.#sender.ssrc} 1 IN ${family} ${this.#host}`,
      's=-',
      `c=IN ${family} ${this.#host}`,
      't=0 0',
      `m=audio ${this.#socket.address().port} RTP/AVP ${PCMU} 101`,
      `a=rtpmap:${PCMU} PCMU/8000`,
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=rtcp-mux',
      'a=sendrecv',
      '',
    ].join('\r\n')
  }
}
