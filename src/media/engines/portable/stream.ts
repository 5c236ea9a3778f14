import type { Millis } from '../../../base/index.ts'
import type { LocalStream, MediumKind, PayloadCodec, RemoteMedium, StreamStats } from '../../model.ts'
import { DigitSource, type Digits } from './digit-source.ts'
import { isTelephoneEvent, type RouteTable, routeTable } from './routes.ts'
import {
  createDtmfDetector,
  createRtpReceiver,
  createRtpSender,
  createStreamRtcp,
  type DtmfDigit,
  type RtcpNews,
  type RtpHeader,
  type RtpSender,
  type SenderClock,
  type StreamRtcp,
} from './rtp/index.ts'
import type { ToneSource } from './tone-source.ts'

/** How packets of a stream leave toward its peer. */
export interface StreamTransport {
  /** Whether there is a way to the peer now. */
  readonly canSend: boolean
  /** @returns Whether it left. */
  sendRtp(packet: Buffer): boolean
  sendRtcp(packet: Buffer): void
}

/** What a stream tells its side. */
export interface StreamListener {
  /** A valid packet arrived. */
  onMedia(stream: Stream, now: Millis): void
  onDigit(digit: DtmfDigit): void
  /** RTCP BYE. */
  onGoodbye(now: Millis): void
}

export interface StreamOptions {
  readonly kind: MediumKind
  readonly local: LocalStream
  readonly firstSequence: number
  readonly firstTimestamp: number
  readonly transport: StreamTransport
  readonly listener: StreamListener
}

/** One medium of one side: what arrives from its peer goes to a partner, what the partner gives goes to its peer. */
export class Stream {
  readonly kind: MediumKind
  readonly local: LocalStream
  readonly #transport: StreamTransport
  readonly #listener: StreamListener
  readonly #receiver = createRtpReceiver()
  readonly #sender: RtpSender
  readonly #rtcp: StreamRtcp
  readonly #dtmf = createDtmfDetector()
  #remote: RemoteMedium | undefined
  #partner: Stream | undefined
  #tone: ToneSource | undefined
  readonly #digits = new DigitSource()
  #muted = false
  #routes: RouteTable = []
  /** Codec of the last packet that was not an event. */
  #codec: PayloadCodec | undefined
  #news: RtcpNews | undefined
  #discarded = 0
  #packetsSent = 0
  #bytesSent = 0

  constructor(options: StreamOptions) {
    this.kind = options.kind
    this.local = options.local
    this.#transport = options.transport
    this.#listener = options.listener
    const { firstSequence, firstTimestamp } = options
    this.#sender = createRtpSender({ ssrc: options.local.ssrc, firstSequence, firstTimestamp })
    this.#rtcp = createStreamRtcp({
      cname: options.local.cname,
      sender: this.#sender,
      receiver: this.#receiver,
      clockRateHz: options.kind === 'audio' ? 8_000 : 90_000,
    })
  }

  get remote(): RemoteMedium | undefined {
    return this.#remote
  }

  /** Whether the peer may send to us. */
  get receives(): boolean {
    return this.#remote?.active === true && this.#remote.receive
  }

  get sends(): boolean {
    return this.#remote?.active === true && this.#remote.send
  }

  /** Applies a negotiation; routes from and to this stream follow it. */
  applyRemote(remote: RemoteMedium): void {
    this.#remote = remote
    this.#rebuildRoutes()
    const partner = this.#partner
    if (partner !== undefined && partner !== this) partner.#rebuildRoutes()
  }

  /** From now on packets of this stream go to `partner`, which may be itself (echo). */
  connect(partner: Stream | undefined, tone?: ToneSource): void {
    this.#partner = partner
    this.#tone = tone
    this.#rebuildRoutes()
    this.#sender.switchSource()
    this.#rtcp.switchSource()
  }

  /** Whether what the peer sends goes nowhere. */
  mute(muted: boolean): void {
    if (muted === this.#muted) return
    this.#muted = muted
    const partner = this.#partner
    if (partner !== undefined) partner.#sender.switchSource() // What was not passed on is no loss to the one who listens.
  }

  /** @throws GatewayError `MEDIA_SPEC_INVALID`: too many wait already. */
  sendDigits(digits: Digits): void {
    this.#digits.add(digits)
  }

  /** Whether `make` has something to do. */
  get makes(): boolean {
    return this.#tone !== undefined || !this.#digits.isEmpty
  }

  /** An RTP packet of the peer, authentic where that can be known. `header` is only read during the call. */
  onRtp(packet: Buffer, header: RtpHeader, now: Millis): void {
    const entry = this.#routes[header.payloadType]
    if (entry === undefined || !this.receives) {
      this.#discarded++
      return
    }
    const { codec, event } = entry
    if (!this.#receiver.onPacket(header, packet.length, codec.clockRateHz, now)) {
      this.#discarded++
      return
    }
    this.#listener.onMedia(this, now)
    if (event) this.#onEvent(packet, header, codec, now)
    else if (codec !== this.#codec) this.#onCodec(codec)
    const partner = this.#partner
    const route = this.#routes[header.payloadType]?.route
    if (partner === undefined || this.#muted) return
    if (route === undefined) this.#discarded++
    else if (partner.sends && partner.#transport.canSend)
      partner.#send(partner.#sender.forward(packet, header, route, now))
  }

  /** A decrypted compound RTCP packet of the peer. */
  onRtcp(compound: Buffer, now: Millis): void {
    const news = this.#rtcp.onPacket(compound, now)
    this.#news = { ...this.#news, ...news }
    if (news.senderReport !== undefined) this.#partner?.onSourceReport(news.senderReport)
    if (news.keyFrameWanted) this.#partner?.requestKeyFrame(now)
    if (news.goodbye) this.#listener.onGoodbye(now)
  }

  onSourceReport(clock: SenderClock): void {
    this.#rtcp.onSourceReport(clock)
  }

  /** Asks the peer for a picture that needs no other. */
  requestKeyFrame(now: Millis): void {
    if (this.kind !== 'video' || !this.receives) return
    const request = this.#rtcp.keyFrameRequest(now)
    if (request !== undefined) this.#transport.sendRtcp(request)
  }

  /** Sends what is made here: a tone, digits. Called every 20 ms; a late call makes up for what is missing. */
  make(now: Millis): void {
    if (!this.sends || !this.#transport.canSend || this.#remote === undefined) return this.#digits.clear()
    for (const frame of this.#tone?.frames(this.#remote, now) ?? []) {
      this.#send(this.#sender.produce(frame.payload, frame.ticks, frame.route, now))
    }
    for (const packet of this.#digits.packets(this.#remote, this.#sender, now)) this.#send(packet)
  }

  /** Reports and time-outs; every 250 ms is often enough. */
  tick(now: Millis): void {
    const ended = this.#dtmf.deadline()
    if (ended !== undefined && now >= ended) this.#report(this.#dtmf.onWakeup(now))
    if (this.#remote?.active !== true || now < this.#rtcp.deadline()) return
    const report = this.#rtcp.poll(now)
    if (report !== undefined) this.#transport.sendRtcp(report)
  }

  /** Tells the peer that our stream is over. */
  goodbye(now: Millis): void {
    this.#digits.clear()
    if (this.#packetsSent > 0) this.#transport.sendRtcp(this.#rtcp.goodbye(now))
  }

  discard(): void {
    this.#discarded++
  }

  /** @param discardedBelow Packets that the transport refused. */
  stats(discardedBelow: number): StreamStats {
    const { packetsReceived, bytesReceived, packetsLost, jitterMs } = this.#receiver
    const { lossFraction, jitterMs: remoteJitterMs, roundTripMs } = this.#news ?? {}
    return {
      kind: this.kind,
      packetsReceived,
      bytesReceived,
      packetsLost,
      jitterMs,
      packetsSent: this.#packetsSent,
      bytesSent: this.#bytesSent,
      packetsDiscarded: this.#discarded + discardedBelow,
      ...(lossFraction === undefined ? {} : { remoteLossFraction: lossFraction }),
      ...(remoteJitterMs === undefined ? {} : { remoteJitterMs }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(this.#codec === undefined ? {} : { codec: this.#codec.name }),
    }
  }

  #send(packet: Buffer | undefined): void {
    if (packet === undefined || !this.#transport.sendRtp(packet)) return
    this.#packetsSent++
    this.#bytesSent += packet.length
  }

  #onEvent(packet: Buffer, header: RtpHeader, codec: PayloadCodec, now: Millis): void {
    this.#report(this.#dtmf.onPacket(packet, header, codec.clockRateHz, now))
  }

  #report(digits: readonly DtmfDigit[]): void {
    for (const digit of digits) this.#listener.onDigit(digit)
  }

  #onCodec(codec: PayloadCodec): void {
    this.#codec = codec
    this.#rebuildRoutes() // Events go with the clock of the codec around them.
  }

  #rebuildRoutes(): void {
    if (this.#remote === undefined) {
      this.#routes = []
      return
    }
    const known = this.#remote.receiveCodecs.find((codec) => sameCodec(codec, this.#codec))
    this.#codec = known ?? this.#codec
    this.#routes = routeTable(this.#remote, this.#partner?.remote, known?.clockRateHz)
    const sent = this.#remote.sendCodecs.find((codec) => !isTelephoneEvent(codec))
    if (sent !== undefined) this.#rtcp.setClockRate(sent.clockRateHz)
  }
}

function sameCodec(a: PayloadCodec, b: PayloadCodec | undefined): boolean {
  return b !== undefined && a.payloadType === b.payloadType && a.name === b.name && a.clockRateHz === b.clockRateHz
}
