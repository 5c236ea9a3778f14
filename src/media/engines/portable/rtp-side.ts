import { GatewayError, type Millis } from '../../../base/index.ts'
import type {
  LocalRtpStream,
  LocalSide,
  RemoteRtpMedium,
  RemoteSide,
  RtpSideSpec,
  SideId,
  SideStats,
} from '../../model.ts'
import type { EngineParts } from './parts.ts'
import type { RtpPlace } from './rtp-places.ts'
import { RtpTransport } from './rtp-transport.ts'
import { localStreams, type Side, type SideEvent, SideMonitor } from './side.ts'
import { SRTP_SUITES, sdesKey } from './srtp/index.ts'
import { Stream } from './stream.ts'

/** A SIP peer: each medium on its own pair of ports. */
export class RtpSide implements Side {
  readonly id: SideId
  readonly streams: readonly Stream[]
  readonly #parts: EngineParts
  readonly #transports: readonly RtpTransport[]
  readonly #monitor: SideMonitor
  readonly #local: readonly LocalRtpStream[]

  constructor(spec: RtpSideSpec, parts: EngineParts, places: readonly RtpPlace[], tell: (event: SideEvent) => void) {
    this.id = spec.id
    this.#parts = parts
    this.#transports = places.map(({ sockets }) => new RtpTransport(sockets, parts, spec.signalledFrom))
    this.#monitor = new SideMonitor(tell, () => this.#transports[0]?.remoteText, parts.silenceMs)
    const facts = localStreams(spec.media, parts.ids.token(96), parts.random32)
    this.#local = places.map(({ address, sockets }, index) => ({
      ...(facts[index] ?? missing()),
      address,
      port: sockets.rtp.port,
      rtcpPort: sockets.rtcp.port,
      crypto: SRTP_SUITES.map((suite, tag) => sdesKey(suite, tag + 1)),
    }))
    this.streams = this.#transports.map((transport, index) => {
      const local = facts[index] ?? missing()
      const start = { firstSequence: parts.random32() & 0x7fff, firstTimestamp: parts.random32() }
      const stream = new Stream({ kind: local.kind, local, ...start, transport, listener: this.#monitor })
      transport.attach(stream)
      return stream
    })
  }

  local(): LocalSide {
    return { kind: 'rtp', id: this.id, media: this.#local }
  }

  applyRemote(remote: RemoteSide): void {
    if (remote.kind !== 'rtp') throw new GatewayError('MEDIA_SPEC_INVALID', `side ${this.id} is an RTP side`)
    remote.media.forEach((medium, index) => {
      this.#applyMedium(medium, index)
    })
  }

  restartIce(): void {
    throw new GatewayError('MEDIA_SPEC_INVALID', `side ${this.id} has no ICE`)
  }

  stats(): SideStats {
    const media = this.streams.map((stream, index) => stream.stats(this.#transports[index]?.discarded ?? 0))
    const suite = this.#transports[0]?.suite
    const remote = this.#transports[0]?.remoteText
    return {
      side: this.id,
      media,
      ...(suite === undefined ? {} : { srtpSuite: suite }),
      ...(remote === undefined ? {} : { remote }),
    }
  }

  tick(now: Millis): void {
    this.#monitor.tick(
      this.streams.some((stream) => stream.kind === 'audio' && stream.receives),
      now,
    )
    for (const stream of this.streams) stream.tick(now)
  }

  async close(): Promise<void> {
    const now = this.#parts.now()
    for (const stream of this.streams) stream.goodbye(now)
    await Promise.all(this.#transports.map((transport) => transport.close()))
  }

  #applyMedium(medium: RemoteRtpMedium, index: number): void {
    if (medium.active) this.#transports[index]?.applyRemote(medium)
    this.streams[index]?.applyRemote(medium)
  }
}

function missing(): never {
  throw new GatewayError('INTERNAL', 'a medium without a place')
}
