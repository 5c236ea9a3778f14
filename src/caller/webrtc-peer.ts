import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type ByteString, GatewayError } from '../base/index.ts'
import {
  createCertificate,
  type DtlsCertificate,
  DtlsEndpoint,
  type SrtpKeys,
} from '../media/engines/portable/dtls/index.ts'
import { createSrtpContext, type SrtpPair } from '../media/engines/portable/srtp/index.ts'
import { type MediaSection, parseSdp } from '../sdp/index.ts'
import { IceAgent } from './ice-agent.ts'
import { type MediaPeer, PCMU, type ReceivedPacket } from './peer.ts'
import { isRtcp, RtpSender, receivedPacket } from './rtp-sender.ts'

/** A browser's media without the browser: full ICE with one host candidate, DTLS-SRTP, PCMU. */
export async function openWebRtcPeer(host: string): Promise<MediaPeer> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
  socket.bind(0, host)
  await once(socket, 'listening')
  return new WebRtcPeer(socket, host)
}

class WebRtcPeer implements MediaPeer {
  onPacket: (packet: ReceivedPacket) => void = () => undefined
  readonly connected: Promise<void>
  readonly #socket: Socket
  readonly #host: string
  readonly #sender = new RtpSender()
  readonly #certificate: DtlsCertificate = createCertificate(Date.now())
  #ice: IceAgent
  #dtls: DtlsEndpoint | undefined
  #srtp: SrtpPair | undefined
  #checking: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #remote: MediaSection | undefined
  #mid = '0'
  #closed = false
  #resolve: () => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    this.#ice = this.#newAgent('controlling')
    this.connected = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.connected.catch(() => undefined)
    socket.on('message', (data, from) => this.#onDatagram(data, from.address, from.port))
    socket.on('error', () => undefined)
  }

  offer(): ByteString {
    return this.#description('actpass')
  }

  answer(offer: ByteString): ByteString {
    const audio = audioOf(offer)
    // The offerer controls unless it is lite (RFC 8445 §6.1.1).
    if (audio.ice?.lite !== true) this.#ice = this.#newAgent('controlled')
    this.#mid = audio.mid ?? '0'
    this.#begin(audio, 'client')
    return this.#description('active')
  }

  accept(answer: ByteString): void {
    const audio = audioOf(answer)
    if (this.#remote) return
    this.#begin(audio, audio.setup === 'active' ? 'server' : 'client')
  }

  send(payload: Buffer): void {
    const to = this.#ice.selected
    const packet = this.#srtp?.send.protectRtp(this.#sender.packet(payload))
    if (to && packet) this.#socket.send(packet, to.port, to.host)
  }

  state(): string {
    if (!this.#remote) return 'has no answer yet'
    if (!this.#ice.selected) return `ICE: no answer to our checks from ${candidateList(this.#remote)}`
    return `DTLS: ${this.#dtls?.state ?? 'not begun'}`
  }

  close(): void {
    if (this.#closed) return
    clearInterval(this.#checking)
    clearTimeout(this.#retry)
    this.#dtls?.close()
    this.#drain()
    this.#closed = true
    this.#socket.close()
  }

  #newAgent(role: 'controlling' | 'controlled'): IceAgent {
    return new IceAgent({
      role,
      send: (data, host, port) => this.#transmit(data, host, port),
      onSelected: () => {
        this.#dtls?.start(performance.now())
        this.#drain()
        this.#pace(CONSENT_MS)
      },
    })
  }

  #begin(audio: MediaSection, role: 'client' | 'server'): void {
    const ice = audio.ice
    if (!ice || audio.fingerprints.length === 0) {
      throw new GatewayError('SDP_UNSUPPORTED', 'the other side offers no ICE or no DTLS')
    }
    this.#remote = audio
    this.#dtls = new DtlsEndpoint({ role, certificate: this.#certificate, peerFingerprints: audio.fingerprints })
    const usable = audio.candidates.filter((each) => each.component === 1 && each.protocol.toLowerCase() === 'udp')
    this.#ice.setRemote({
      ufrag: ice.ufrag,
      pwd: ice.pwd,
      candidates: usable.map((each) => ({ host: each.address, port: each.port })),
    })
    this.#ice.check()
    this.#pace(CHECK_MS)
  }

  #pace(everyMs: number): void {
    clearInterval(this.#checking)
    this.#checking = setInterval(() => this.#ice.check(), everyMs)
  }

  #onDatagram(data: Buffer, host: string, port: number): void {
    const atMs = performance.now()
    const first = data[0] ?? 0
    // RFC 7983 §7: the first byte tells the protocol.
    if (first < 4) return this.#ice.handle(data, host, port)
    if (first >= 20 && first < 64) {
      this.#dtls?.handle(data, atMs)
      return this.#drain()
    }
    if (first < 128 || first > 191 || isRtcp(data)) return
    const plain = this.#srtp?.receive.unprotectRtp(data)
    const packet = plain && receivedPacket(plain, atMs)
    if (packet) this.onPacket(packet)
  }

  #drain(): void {
    const dtls = this.#dtls
    if (!dtls) return
    for (let output = dtls.poll(); output; output = dtls.poll()) {
      if (output.kind === 'send') this.#toSelected(output.datagram)
      if (output.kind === 'connected') this.#onKeys(output.keys)
      if (output.kind === 'failed') this.#reject(new GatewayError('SDP_UNSUPPORTED', `DTLS failed: ${output.reason}`))
    }
    clearTimeout(this.#retry)
    const deadline = dtls.deadline()
    if (deadline === undefined || this.#closed) return
    this.#retry = setTimeout(
      () => {
        dtls.wake(performance.now())
        this.#drain()
      },
      Math.max(1, deadline - performance.now()),
    )
  }

  #onKeys({ suite, local, remote }: SrtpKeys): void {
    this.#srtp = {
      send: createSrtpContext({ suite, masterKey: local.key, masterSalt: local.salt, direction: 'send' }),
      receive: createSrtpContext({ suite, masterKey: remote.key, masterSalt: remote.salt, direction: 'receive' }),
    }
    this.#resolve()
  }

  #toSelected(data: Buffer): void {
    const to = this.#ice.selected
    if (to) this.#transmit(data, to.host, to.port)
  }

  #transmit(data: Buffer, host: string, port: number): void {
    if (!this.#closed) this.#socket.send(data, port, host, () => undefined)
  }

  #description(setup: 'actpass' | 'active'): ByteString {
    const family = this.#host.includes(':') ? 'IP6' : 'IP4'
    const port = this.#socket.address().port
    const { algorithm, value } = this.#certificate.fingerprint
    return [
      'v=0',
      `o=- ${this.#sender.ssrc} 2 IN IP4 127.0.0.1`,
      's=-',
      't=0 0',
      `a=group:BUNDLE ${this.#mid}`,
      `m=audio ${port} UDP/TLS/RTP/SAVPF ${PCMU} 101`,
      `c=IN ${family} ${this.#host}`,
      `a=mid:${this.#mid}`,
      'a=sendrecv',
      'a=rtcp-mux',
      `a=rtpmap:${PCMU} PCMU/8000`,
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      `a=ice-ufrag:${this.#ice.ufrag}`,
      `a=ice-pwd:${this.#ice.pwd}`,
      `a=fingerprint:${algorithm} ${value}`,
      `a=setup:${setup}`,
      `a=candidate:1 1 udp 2130706431 ${this.#host} ${port} typ host`,
      'a=end-of-candidates',
      `a=msid:caller audio`,
      `a=ssrc:${this.#sender.ssrc} cname:caller`,
      '',
    ].join('\r\n')
  }
}

function audioOf(sdp: ByteString): MediaSection {
  const audio = parseSdp(sdp).media.find((section) => section.kind === 'audio' && section.port !== 0)
  if (!audio) throw new GatewayError('SDP_NO_COMMON_CODEC', 'the other side takes no audio')
  return audio
}

function candidateList(section: MediaSection): string {
  return section.candidates.map((each) => `${each.address}:${each.port}`).join(', ') || 'no candidate at all'
}

/** Pace of checks until one is answered; then that of consent (RFC 7675 §5.1: 4 to 6 s). */
const CHECK_MS = 50
const CONSENT_MS = 5_000
