import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createCertificate, DtlsEndpoint } from '../../src/media/engines/portable/dtls/index.ts'
import { contextsFromDtls, type SrtpPair } from '../../src/media/engines/portable/srtp/index.ts'
import { ATTRIBUTE, buildStun, parseStun } from '../../src/media/engines/portable/stun/index.ts'
import type {
  LocalWebRtcSide,
  PayloadCodec,
  RemoteMedium,
  RemoteRtpMedium,
  RemoteWebRtcSide,
} from '../../src/media/model.ts'

export const PCMU: PayloadCodec = { payloadType: 0, name: 'PCMU', clockRateHz: 8_000 }

/** Values as they arrive, and a way to wait for one. Tests bound the wait by their own time-out. */
export class Inbox<T> {
  readonly all: T[] = []
  #waiting: { readonly wants: (value: T) => boolean; readonly take: (value: T) => void }[] = []

  #tap: ((value: T) => void) | undefined

  /** Gives further values to `take` instead of keeping them. */
  tap(take: (value: T) => void): void {
    this.#tap = take
  }

  push(value: T): void {
    if (this.#tap !== undefined) {
      this.#tap(value)
      return
    }
    this.all.push(value)
    this.#waiting = this.#waiting.filter(({ wants, take }) => {
      if (!wants(value)) return true
      take(value)
      return false
    })
  }

  /** The first value, past or future, that fits. */
  async find(wants: (value: T) => boolean = () => true): Promise<T> {
    const known = this.all.find(wants)
    if (known !== undefined) return known
    return new Promise((take) => this.#waiting.push({ wants, take }))
  }

  /** The next value that fits: past ones do not count. */
  async next(wants: (value: T) => boolean = () => true): Promise<T> {
    return new Promise((take) => this.#waiting.push({ wants, take }))
  }
}

/** An RTP packet with version 2 and nothing else. */
export function rtpPacket(fields: {
  payloadType?: number
  sequence: number
  timestamp: number
  ssrc: number
  marker?: boolean
  payload?: Buffer
}): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt8(0x80, 0)
  header.writeUInt8((fields.marker === true ? 0x80 : 0) | (fields.payloadType ?? 0), 1)
  header.writeUInt16BE(fields.sequence & 0xffff, 2)
  header.writeUInt32BE(fields.timestamp >>> 0, 4)
  header.writeUInt32BE(fields.ssrc, 8)
  return Buffer.concat([header, fields.payload ?? Buffer.alloc(160, 0xff)])
}

/** A bare UDP end. */
export class UdpEnd {
  readonly received = new Inbox<Buffer>()
  readonly #socket: Socket
  readonly address: string

  private constructor(socket: Socket, address: string) {
    this.#socket = socket
    this.address = address
    socket.on('message', (datagram) => this.received.push(datagram))
    socket.on('error', () => {})
  }

  static async open(address = '127.0.0.1'): Promise<UdpEnd> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new UdpEnd(socket, address)
  }

  get port(): number {
    return this.#socket.address().port
  }

  send(datagram: Buffer, port: number, address = this.address): void {
    this.#socket.send(datagram, port, address)
  }

  onDatagram(receive: (datagram: Buffer) => void): void {
    this.#socket.on('message', receive)
  }

  close(): void {
    this.#socket.close()
  }
}

/** What a SIP peer with this end would have negotiated. */
export function rtpMedium(end: UdpEnd, more: Partial<RemoteRtpMedium> = {}): RemoteRtpMedium {
  return {
    ...medium([PCMU]),
    address: end.address,
    port: end.port,
    rtcpAddress: end.address,
    rtcpPort: end.port,
    rtcpMux: true,
    ...more,
  }
}

export function medium(codecs: readonly PayloadCodec[], more: Partial<RemoteMedium> = {}): RemoteMedium {
  return { kind: 'audio', active: true, send: true, receive: true, sendCodecs: codecs, receiveCodecs: codecs, ...more }
}

/** A browser's transport, driven by hand: checks, DTLS of either role, SRTP. */
export class BrowserEnd {
  readonly ice = { ufrag: randomBytes(4).toString('hex'), pwd: randomBytes(16).toString('hex') }
  readonly certificate = createCertificate(Date.now())
  readonly rtp = new Inbox<Buffer>()
  readonly rtcp = new Inbox<Buffer>()
  /** Status of each answer to a check: 0 for success. */
  readonly answers = new Inbox<number>()
  readonly ends = new Inbox<'connected' | 'failed' | 'closed'>()
  readonly udp: UdpEnd
  dtls: DtlsEndpoint | undefined
  srtp: SrtpPair | undefined
  #to: { readonly port: number; readonly address: string } | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor(udp: UdpEnd) {
    this.udp = udp
    this.listen(udp)
  }

  static async open(address?: string): Promise<BrowserEnd> {
    return new BrowserEnd(await UdpEnd.open(address))
  }

  /** Takes what arrives on a further socket too (the peer moved to another network). */
  listen(udp: UdpEnd): void {
    udp.onDatagram((datagram) => this.#onDatagram(datagram))
  }

  /** What the gateway would have read in our SDP. */
  remote(role: 'active' | 'passive', media: readonly RemoteMedium[] = [medium([PCMU])]): RemoteWebRtcSide {
    return { kind: 'webrtc', ice: this.ice, dtls: { role, fingerprints: [this.certificate.fingerprint] }, media }
  }

  /** Sends a check with USE-CANDIDATE and begins DTLS once it is answered. */
  async connect(side: LocalWebRtcSide, role: 'active' | 'passive'): Promise<void> {
    await this.check(side)
    this.startDtls(side, role)
    await this.ends.find((end) => end === 'connected')
  }

  async check(
    side: LocalWebRtcSide,
    options: { from?: UdpEnd; nominate?: boolean; pwd?: string } = {},
  ): Promise<number> {
    const [candidate] = side.candidates
    if (candidate === undefined) throw new Error('no candidate')
    this.#to = { port: candidate.port, address: candidate.address }
    const answered = this.answers.next()
    ;(options.from ?? this.udp).send(this.#checkFor(side, options), candidate.port, candidate.address)
    return answered
  }

  startDtls(side: LocalWebRtcSide, role: 'active' | 'passive'): void {
    this.dtls ??= new DtlsEndpoint({
      role: role === 'active' ? 'client' : 'server',
      certificate: this.certificate,
      peerFingerprints: [side.fingerprint],
    })
    this.dtls.start(performance.now())
    this.#drain()
  }

  sendRtp(packet: Buffer, from = this.udp): void {
    const sealed = this.srtp?.send.protectRtp(packet)
    if (sealed !== undefined) this.sendRaw(sealed, from)
  }

  sendRtcp(packet: Buffer): void {
    const sealed = this.srtp?.send.protectRtcp(packet)
    if (sealed !== undefined) this.sendRaw(sealed)
  }

  sendRaw(datagram: Buffer, from = this.udp): void {
    if (this.#to !== undefined) from.send(datagram, this.#to.port, this.#to.address)
  }

  /** Ends DTLS politely. */
  goodbye(): void {
    this.dtls?.close()
    this.#drain()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.udp.close()
  }

  #checkFor(
    side: LocalWebRtcSide,
    { nominate = true, pwd = side.ice.pwd }: { nominate?: boolean; pwd?: string },
  ): Buffer {
    const attributes: (readonly [number, Buffer])[] = [
      [ATTRIBUTE.username, Buffer.from(`${side.ice.ufrag}:${this.ice.ufrag}`)],
      [ATTRIBUTE.priority, Buffer.from([0x6e, 0, 1, 0xff])],
      [ATTRIBUTE.iceControlling, Buffer.alloc(8, 7)],
    ]
    if (nominate) attributes.push([ATTRIBUTE.useCandidate, Buffer.alloc(0)])
    return buildStun({ class: 'request', transactionId: randomBytes(12), attributes, key: pwd })
  }

  #onDatagram(datagram: Buffer): void {
    const first = datagram[0] ?? 0
    if (first < 4) this.answers.push(statusOf(datagram))
    else if (first < 64) {
      this.dtls?.handle(datagram, performance.now())
      this.#drain()
    } else if (((datagram[1] ?? 0) & 0x7f) >= 64 && ((datagram[1] ?? 0) & 0x7f) < 96) {
      const packet = this.srtp?.receive.unprotectRtcp(datagram)
      if (packet !== undefined) this.rtcp.push(packet)
    } else {
      const packet = this.srtp?.receive.unprotectRtp(datagram)
      if (packet !== undefined) this.rtp.push(packet)
    }
  }

  #drain(): void {
    for (let output = this.dtls?.poll(); output !== undefined; output = this.dtls?.poll()) {
      if (output.kind === 'send') this.sendRaw(output.datagram)
      else {
        if (output.kind === 'connected') this.srtp = contextsFromDtls(output.keys)
        this.ends.push(output.kind)
      }
    }
    clearTimeout(this.#timer)
    const deadline = this.dtls?.deadline()
    if (deadline === undefined) return
    this.#timer = setTimeout(
      () => {
        this.dtls?.wake(performance.now())
        this.#drain()
      },
      Math.max(1, deadline - performance.now()),
    )
  }
}

function statusOf(datagram: Buffer): number {
  const message = parseStun(datagram)
  const code = message?.attributes.get(ATTRIBUTE.errorCode)
  return code === undefined ? 0 : (code[2] ?? 0) * 100 + (code[3] ?? 0)
}
