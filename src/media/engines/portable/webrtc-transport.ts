import type { IdSource, Millis } from '../../../base/index.ts'
import type { Fingerprint, LocalWebRtcSide, RemoteWebRtcSide, SideStats, SrtpSuite } from '../../model.ts'
import { type DtlsCertificate, DtlsEndpoint } from './dtls/index.ts'
import { hostCandidates, LiteAgent, type MuxPeer, type WebRtcMux, type WebRtcPath } from './ice/index.ts'
import { contextsFromDtls, type SrtpPair } from './srtp/index.ts'
import type { SocketGroup } from './udp/socket-group.ts'

/** What a WebRTC transport tells its side. */
export interface WebRtcReceiver {
  /** Authentic and decrypted. */
  onRtp(packet: Buffer): void
  onRtcp(packet: Buffer): void
  onPath(remote: string): void
  onConsentLost(): void
  onSecured(suite: SrtpSuite): void
  onFailed(reason: string): void
  onEnded(): void
}

export interface WebRtcTransportOptions {
  readonly mux: WebRtcMux
  readonly group: SocketGroup
  readonly certificate: DtlsCertificate
  readonly ids: IdSource
  readonly consentMs: number
  readonly now: () => Millis
  /** Asks for `wake` every 20 ms or so while a handshake runs. */
  readonly wantWakeups: (wanted: boolean) => void
}

type Facts = Pick<LocalWebRtcSide, 'ice' | 'candidates' | 'fingerprint'>

/** ICE-lite, DTLS and SRTP of one bundled WebRTC side on a shared socket. */
export class WebRtcTransport implements MuxPeer {
  readonly #options: WebRtcTransportOptions
  readonly #receiver: WebRtcReceiver
  readonly #ice: LiteAgent<WebRtcPath>
  #dtls: DtlsEndpoint | undefined
  #agreed: RemoteWebRtcSide['dtls'] | undefined
  #srtp: SrtpPair | undefined
  /** DTLS that arrived before we knew whom to expect: a hello may overtake the answer on its way through SIP. */
  #early: Buffer[] = []
  #pathToldAt: Millis = Number.NEGATIVE_INFINITY
  #failed = false
  #closed = false
  #discarded = 0

  constructor(options: WebRtcTransportOptions, receiver: WebRtcReceiver) {
    this.#options = options
    this.#receiver = receiver
    this.#ice = new LiteAgent(options.ids, options.consentMs)
    options.mux.accept(this.#ice.credentials, this)
  }

  /** What the peer has to be told. */
  get facts(): Facts {
    const { group, certificate } = this.#options
    return {
      ice: { ...this.#ice.credentials, lite: true },
      candidates: hostCandidates(group.addresses, group.port),
      fingerprint: certificate.fingerprint,
    }
  }

  get stats(): Pick<SideStats, 'ice' | 'dtls' | 'srtpSuite' | 'remote'> {
    const path = this.#ice.sendPath
    const suite = this.#srtp?.send.suite
    return {
      ice: this.#ice.state,
      dtls: this.#dtlsState(),
      ...(suite === undefined ? {} : { srtpSuite: suite }),
      ...(path === undefined ? {} : { remote: textOf(path) }),
    }
  }

  /** Packets that were not authentic or came twice. */
  get discarded(): number {
    const counters = this.#srtp?.receive.counters
    return this.#discarded + (counters === undefined ? 0 : counters.failed + counters.replayed)
  }

  /** Applies what the peer said. An association goes on unless its terms changed (RFC 8842 §5.1). */
  applyRemote({ dtls }: RemoteWebRtcSide): void {
    if (this.#closed || this.#isAgreed(dtls)) return
    this.#closeDtls()
    this.#agreed = dtls
    this.#failed = false
    this.#dtls = new DtlsEndpoint({
      role: dtls.role === 'active' ? 'server' : 'client',
      certificate: this.#options.certificate,
      peerFingerprints: dtls.fingerprints,
    })
    if (this.#ice.sendPath === undefined) return
    this.#dtls.start(this.#options.now())
    for (const datagram of this.#early.splice(0)) this.#dtls.handle(datagram, this.#options.now())
    this.#drainDtls()
  }

  /** New ICE credentials; DTLS and SRTP stay (RFC 8842 §4). */
  restartIce(): void {
    const { mux } = this.#options
    mux.retire(this.#ice.restart())
    mux.accept(this.#ice.credentials, this)
  }

  get canSend(): boolean {
    return this.#srtp !== undefined && this.#ice.sendPath !== undefined
  }

  /** @returns Whether it left. */
  sendRtp(packet: Buffer): boolean {
    const path = this.#ice.sendPath
    if (path === undefined || this.#srtp === undefined) return false
    const protectedPacket = this.#srtp.send.protectRtp(packet)
    if (protectedPacket === undefined) return false
    path.socket.send(protectedPacket, path.port, path.address)
    return true
  }

  sendRtcp(packet: Buffer): void {
    const path = this.#ice.sendPath
    if (path === undefined || this.#srtp === undefined) return
    const out = this.#srtp.send.protectRtcp(packet)
    if (out !== undefined) path.socket.send(out, path.port, path.address)
  }

  onCheck(path: WebRtcPath, ufrag: string, nominated: boolean): void {
    const now = this.#options.now()
    const change = this.#ice.onCheck(path, nominated, now)
    this.#options.mux.retire(this.#ice.retireBefore(ufrag))
    if (change === 'none') return
    // A peer that hops between addresses is followed at once, but told of once a second.
    if (change !== 'path-changed' || now - this.#pathToldAt >= PATH_NEWS_MS) {
      this.#pathToldAt = now
      this.#receiver.onPath(textOf(path))
    }
    if (change === 'path-changed' || this.#dtls === undefined) return
    this.#dtls.start(now) // If it waited for a way to the peer: the first, or one again after consent was lost.
    this.#drainDtls()
  }

  onDtls(datagram: Buffer): void {
    if (this.#dtls === undefined) {
      if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push(datagram)
      else this.#discarded++
      return
    }
    this.#dtls.handle(datagram, this.#options.now())
    this.#drainDtls()
  }

  onMedia(datagram: Buffer): boolean {
    if (this.#srtp === undefined) {
      this.#discarded++
      return false // Before the handshake is over nobody can read it.
    }
    const rtcp = isRtcp(datagram)
    const { receive } = this.#srtp
    const packet = rtcp ? receive.unprotectRtcp(datagram) : receive.unprotectRtp(datagram)
    if (packet === undefined) return false
    if (rtcp) this.#receiver.onRtcp(packet)
    else this.#receiver.onRtp(packet)
    return true
  }

  /** Repeats a lost flight of the handshake if it is time. */
  wake(now: Millis): void {
    const at = this.#dtls?.deadline()
    if (at === undefined || now < at) return
    this.#dtls?.wake(now)
    this.#drainDtls()
  }

  /** Notices the loss of consent; every second is often enough. */
  checkConsent(now: Millis): void {
    if (this.#ice.onWakeup(now)) this.#receiver.onConsentLost()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { mux } = this.#options
    this.#closeDtls()
    mux.retire(this.#ice.credentials)
    mux.retire(this.#ice.restart())
    mux.release(this)
  }

  #closeDtls(): void {
    this.#dtls?.close()
    this.#drainDtls()
    this.#dtls = undefined
    this.#srtp = undefined
    this.#options.wantWakeups(false)
  }

  #drainDtls(): void {
    for (let output = this.#dtls?.poll(); output !== undefined; output = this.#dtls?.poll()) {
      if (output.kind === 'send') {
        const path = this.#ice.sendPath
        path?.socket.send(output.datagram, path.port, path.address)
      } else if (output.kind === 'connected') {
        const { keys } = output
        this.#srtp = contextsFromDtls(keys)
        this.#receiver.onSecured(keys.suite)
      } else if (output.kind === 'failed') {
        this.#failed = true
        this.#receiver.onFailed(output.reason)
      } else {
        this.#receiver.onEnded()
      }
    }
    this.#options.wantWakeups(this.#dtls?.deadline() !== undefined)
  }

  /** An association that stands outlives a change of the offered role: browsers do not make a new one either. */
  #isAgreed(terms: RemoteWebRtcSide['dtls']): boolean {
    const before = this.#agreed
    if (before === undefined || !sameFingerprints(before, terms)) return false
    return before.role === terms.role || this.#srtp !== undefined
  }

  #dtlsState(): NonNullable<SideStats['dtls']> {
    if (this.#failed) return 'failed'
    if (this.#srtp !== undefined) return 'connected'
    return this.#dtls?.state === 'connecting' ? 'connecting' : 'new'
  }
}

/** RTCP by its packet type where both share a port (RFC 5761 §4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0
  return type >= 192 && type <= 223
}

function textOf({ address, port }: WebRtcPath): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function sameFingerprints(a: RemoteWebRtcSide['dtls'], b: RemoteWebRtcSide['dtls']): boolean {
  const key = ({ algorithm, value }: Fingerprint) => `${algorithm} ${value}`.toLowerCase()
  const sorted = (terms: RemoteWebRtcSide['dtls']) => terms.fingerprints.map(key).sort().join()
  return sorted(a) === sorted(b)
}

const MAX_EARLY_DATAGRAMS = 8
const PATH_NEWS_MS = 1_000
