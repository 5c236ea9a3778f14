import { GatewayError, type Millis } from '../../../base/index.ts'
import type { LocalSide, LocalStream, RemoteSide, SideId, SideStats, SrtpSuite, WebRtcSideSpec } from '../../model.ts'
import { BundleMap } from './bundle-map.ts'
import type { EngineParts } from './parts.ts'
import { emptyHeader, readRtp } from './rtp/index.ts'
import { localStreams, type Side, type SideEvent, SideMonitor } from './side.ts'
import { Stream } from './stream.ts'
import type { SocketGroup } from './udp/socket-group.ts'
import { type WebRtcReceiver, WebRtcTransport } from './webrtc-transport.ts'

/** A browser: all media bundled on one path, secured by DTLS-SRTP. */
export class WebRtcSide implements Side, WebRtcReceiver {
  readonly id: SideId
  readonly streams: readonly Stream[]
  readonly #parts: EngineParts
  readonly #tell: (event: SideEvent) => void
  readonly #transport: WebRtcTransport
  readonly #monitor: SideMonitor
  readonly #bundle: BundleMap
  readonly #local: readonly LocalStream[]
  readonly #header = emptyHeader()

  constructor(spec: WebRtcSideSpec, parts: EngineParts, group: SocketGroup, tell: (event: SideEvent) => void) {
    this.id = spec.id
    this.#parts = parts
    this.#tell = tell
    const { mux, certificate, ids, consentMs, now } = parts
    const wantWakeups = (wanted: boolean) => parts.wantWakeups(this, wanted)
    this.#transport = new WebRtcTransport({ mux, group, certificate, ids, consentMs, now, wantWakeups }, this)
    this.#monitor = new SideMonitor(tell, () => this.#transport.stats.remote, parts.silenceMs)
    this.#local = localStreams(spec.media, ids.token(96), parts.random32)
    this.streams = this.#local.map((local) => {
      const start = { firstSequence: parts.random32() & 0x7fff, firstTimestamp: parts.random32() }
      return new Stream({ kind: local.kind, local, ...start, transport: this.#transport, listener: this.#monitor })
    })
    this.#bundle = new BundleMap(this.streams)
  }

  local(): LocalSide {
    return { kind: 'webrtc', id: this.id, ...this.#transport.facts, media: this.#local }
  }

  applyRemote(remote: RemoteSide): void {
    if (remote.kind !== 'webrtc') throw new GatewayError('MEDIA_SPEC_INVALID', `side ${this.id} is a WebRTC side`)
    this.#transport.applyRemote(remote)
    this.streams.forEach((stream, index) => {
      const medium = remote.media[index]
      if (medium !== undefined) stream.applyRemote(medium)
    })
    this.#bundle.forget()
  }

  restartIce(): void {
    this.#transport.restartIce()
  }

  stats(): SideStats {
    const discarded = this.#transport.discarded
    const media = this.streams.map((stream, index) => stream.stats(index === 0 ? discarded : 0))
    return { side: this.id, media, ...this.#transport.stats }
  }

  tick(now: Millis): void {
    this.#transport.checkConsent(now)
    const { ice, dtls } = this.#transport.stats
    const expected = ice === 'connected' && dtls === 'connected'
    this.#monitor.tick(expected && this.streams.some((stream) => stream.kind === 'audio' && stream.receives), now)
    for (const stream of this.streams) stream.tick(now)
  }

  /** Every 20 ms while a handshake runs. */
  wake(now: Millis): void {
    this.#transport.wake(now)
  }

  async close(): Promise<void> {
    const now = this.#parts.now()
    for (const stream of this.streams) stream.goodbye(now)
    this.#transport.close()
  }

  onRtp(packet: Buffer): void {
    const header = readRtp(packet, this.#header)
    const stream = header && this.#bundle.find(packet, header)
    if (header === undefined || stream === undefined) this.streams[0]?.discard()
    else stream.onRtp(packet, header, this.#parts.now())
  }

  onRtcp(packet: Buffer): void {
    const now = this.#parts.now()
    for (const stream of this.streams) stream.onRtcp(packet, now)
  }

  onPath(remote: string): void {
    this.#tell({ kind: 'ice-connected', remote })
  }

  onConsentLost(): void {
    this.#tell({ kind: 'ice-disconnected' })
  }

  onSecured(suite: SrtpSuite): void {
    this.#tell({ kind: 'dtls-connected', suite })
    const now = this.#parts.now()
    for (const stream of this.streams) stream.requestKeyFrame(now)
  }

  onFailed(reason: string): void {
    this.#monitor.onFailed('MEDIA_DTLS_FAILED', reason)
  }

  onEnded(): void {
    this.#monitor.onEnded()
  }
}
