import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { type ByteString, GatewayError } from '../base/index.ts'
import {
  createCertificate,
  type DtlsCertificate,
  DtlsEndpoint,
  type SrtpKeys,
} from '../media/engines/portable/dtls/index.ts'
import { createSrtpContext, type SrtpPair } from '../media/engines/portable/srtp/index.ts'
import type { MediaSection } from '../sdp/index.ts'
import { IceAgent, type RemoteIce } from './ice-agent.ts'
import { audioWithPcmu, CODEC, type MediaDetails, type MediaPeer, type ReceivedPacket } from './peer.ts'
import { isIpv6 } from './resolve.ts'
import { isRtcp, RtpSender, receivedPacket } from './rtp-sender.ts'
import { webRtcDescription } from './webrtc-description.ts'

/** A browser's media without the browser: full ICE with one host candidate, DTLS-SRTP, PCMU. */
export async function openWebRtcPeer(host: string): Promise<MediaPeer> {
  const socket = createSocket({ type: isIpv6(host) ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
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
  readonly #ice: IceAgent
  /** DTLS that came before the answer it belongs to, or before a way back was found. */
  #early: Buffer[] = []
  #dtls: DtlsEndpoint | undefined
  #srtp: SrtpPair | undefined
  #suite = ''
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
    this.#ice = new IceAgent({
      role: 'controlling',
      send: (data, to, port) => this.#transmit(data, to, port),
      onSelected: () => this.#onSelected(),
    })
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
    const audio = audioWithPcmu(offer)
    // The offerer controls unless it is lite (RFC 8445 §6.1.1).
    if (audio.ice?.lite !== true) this.#ice.setRole('controlled')
    this.#mid = audio.mid ?? '0'
    const setup = audio.setup === 'active' ? 'passive' : 'active'
    this.#begin(audio, setup === 'active' ? 'client' : 'server')
    return this.#description(setup)
  }

  accept(answer: ByteString): void {
    const audio = audioWithPcmu(answer)
    // The final answer repeats an early one, unless another branch of the call answered.
    if (this.#remote && identityOf(this.#remote) === identityOf(audio)) return
    this.#begin(audio, audio.setup === 'active' ? 'server' : 'client')
  }

  send(payload: Buffer): void {
    const to = this.#ice.selected
    const packet = this.#srtp?.send.protectRtp(this.#sender.packet(payload))
    if (to && packet) this.#transmit(packet, to.host, to.port)
  }

  state(): string {
    if (!this.#remote) return 'has no answer yet'
    if (!this.#ice.selected) return `ICE: no answer to our checks from ${candidateList(this.#remote)}`
    return `DTLS: ${this.#dtls?.state ?? 'not begun'}`
  }

  details(): MediaDetails | undefined {
    const to = this.#ice.selected
    if (!to || !this.#srtp) return undefined
    return { codec: CODEC, security: `DTLS-SRTP ${this.#suite}`, remote: `${to.host}:${to.port}` }
  }

  close(): void {
    if (this.#closed) return
    clearInterval(this.#checking)
    this.#dtls?.close()
    this.#drain()
    clearTimeout(this.#retry)
    this.#closed = true
    this.#socket.close()
  }

  #begin(audio: MediaSection, role: 'client' | 'server'): void {
    const remote = this.#remoteIce(audio)
    this.#remote = audio
    this.#srtp = undefined
    this.#dtls = new DtlsEndpoint({ role, certificate: this.#certificate, peerFingerprints: audio.fingerprints })
    this.#ice.setRemote(remote)
    this.#ice.check()
    this.#pace(CHECK_MS)
  }

  #remoteIce(audio: MediaSection): RemoteIce {
    if (!audio.ice) throw new GatewayError('SDP_UNSUPPORTED', 'the gateway does not speak ICE')
    if (audio.fingerprints.length === 0) throw new GatewayError('SDP_UNSUPPORTED', 'the gateway does not speak DTLS')
    const family = isIP(this.#host)
    const usable = audio.candidates.filter(
      (each) => each.component === 1 && each.protocol.toLowerCase() === 'udp' && isIP(each.address) === family,
    )
    if (usable.length === 0 && audio.ice.lite) {
      const offered = candidateList(audio)
      throw new GatewayError('SDP_UNSUPPORTED', `the gateway has no UDP candidate of IPv${family}, only ${offered}`)
    }
    return { ...audio.ice, candidates: usable.map((each) => ({ host: each.address, port: each.port })) }
  }

  #onSelected(): void {
    this.#dtls?.start(performance.now())
    this.#drain()
    for (const data of this.#early.splice(0)) this.#onDtls(data)
    this.#pace(CONSENT_MS)
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
    if (first >= 20 && first < 64) return this.#onDtls(data)
    if (first < 128 || first > 191 || isRtcp(data)) return
    const plain = this.#srtp?.receive.unprotectRtp(data)
    const packet = plain && receivedPacket(plain, atMs)
    if (packet) this.onPacket(packet)
  }

  /** The other side may begin before its answer has come (RFC 8842 §5.5); not to lose its hello saves a second. */
  #onDtls(data: Buffer): void {
    if (!this.#dtls || !this.#ice.selected) {
      if (this.#early.length < MAX_EARLY) this.#early.push(data)
      return
    }
    this.#dtls.handle(data, performance.now())
    this.#drain()
  }

  #drain(): void {
    const dtls = this.#dtls
    if (!dtls) return
    for (let output = dtls.poll(); output; output = dtls.poll()) {
      if (output.kind === 'send') this.#toSelected(output.datagram)
      if (output.kind === 'connected') this.#onKeys(output.keys)
      if (output.kind === 'failed') this.#reject(new GatewayError('MEDIA_DTLS_FAILED', `DTLS failed: ${output.reason}`))
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
    this.#suite = suite
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

  #description(setup: 'actpass' | 'active' | 'passive'): ByteString {
    return webRtcDescription({
      setup,
      host: this.#host,
      port: this.#socket.address().port,
      mid: this.#mid,
      ssrc: this.#sender.ssrc,
      ice: this.#ice,
      fingerprint: this.#certificate.fingerprint,
    })
  }
}

/** What makes two answers the same session: a new ICE user fragment or certificate is another one. */
function identityOf({ ice, fingerprints }: MediaSection): string {
  return [ice?.ufrag, ice?.pwd, ...fingerprints.map((each) => each.value)].join(' ')
}

function candidateList(section: MediaSection): string {
  return section.candidates.map((each) => `${each.address}:${each.port}`).join(', ') || 'no candidate at all'
}

/** Pace of checks until one is answered; then that of consent (RFC 7675 §5.1: 4 to 6 s). */
const CHECK_MS = 50
const CONSENT_MS = 5_000
/** A ClientHello takes two or three datagrams at most. */
const MAX_EARLY = 8
