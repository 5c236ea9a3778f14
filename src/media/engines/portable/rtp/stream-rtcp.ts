import type { Millis } from '../../../../base/index.ts'
import type { RtcpNews, SenderClock, StreamRtcp, StreamRtcpOptions } from './model.ts'
import { later, middleOf, type NtpTime, ntpOf } from './ntp.ts'
import {
  buildFullIntraRequest,
  buildGoodbye,
  buildPictureLoss,
  buildReceiverReport,
  buildSenderReport,
  buildSourceDescription,
  type ReceiverReport,
  type ReportBlock,
  type RtcpPacket,
  readCompound,
  type SenderReport,
} from './rtcp/index.ts'

/** Makes RTCP for one stream toward one peer. */
export function createStreamRtcp(options: StreamRtcpOptions): StreamRtcp {
  return new TerminatedRtcp(options)
}

type News = { -readonly [K in keyof RtcpNews]: RtcpNews[K] }

class TerminatedRtcp implements StreamRtcp {
  readonly #options: StreamRtcpOptions
  #clockRateHz: number
  #dueAt: Millis | undefined
  /** Packets sent at the last report: no news, no sender report. */
  #sentAtReport = 0
  /** When our last sender reports left, by the middle of their NTP time. */
  readonly #reportedAt = new Map<number, Millis>()
  #peerReport: { readonly ssrc: number; readonly middle: number; readonly at: Millis } | undefined
  #sourceClock: SenderClock | undefined
  #requestedAt = Number.NEGATIVE_INFINITY
  #requests = 0

  constructor(options: StreamRtcpOptions) {
    this.#options = options
    this.#clockRateHz = options.clockRateHz
  }

  setClockRate(clockRateHz: number): void {
    this.#clockRateHz = clockRateHz
  }

  onPacket(compound: Buffer, now: Millis): RtcpNews {
    const news: News = { keyFrameWanted: false, goodbye: false }
    for (const packet of readCompound(compound)) this.#take(packet, news, now)
    return news
  }

  onSourceReport(clock: SenderClock): void {
    this.#sourceClock = clock
  }

  switchSource(): void {
    this.#sourceClock = undefined
  }

  poll(now: Millis): Buffer | undefined {
    if (this.#dueAt === undefined) {
      this.#dueAt = now + FIRST_REPORT_MS + this.#spread()
      return undefined
    }
    if (now < this.#dueAt) return undefined
    this.#dueAt = now + REPORT_MS + this.#spread()
    return Buffer.concat(this.#report(now))
  }

  deadline(): Millis {
    return this.#dueAt ?? Number.NEGATIVE_INFINITY
  }

  keyFrameRequest(now: Millis): Buffer | undefined {
    const { sender, receiver } = this.#options
    if (receiver.ssrc === undefined || now - this.#requestedAt < REQUEST_MS) return undefined
    // Asked again so soon: the peer may be one that only knows FIR.
    const again = now - this.#requestedAt < REQUEST_AGAIN_MS
    this.#requestedAt = now
    const request = [...this.#report(now), buildPictureLoss(sender.ssrc, receiver.ssrc)]
    if (again) request.push(buildFullIntraRequest(sender.ssrc, receiver.ssrc, this.#requests++))
    return Buffer.concat(request)
  }

  goodbye(now: Millis): Buffer {
    return Buffer.concat([...this.#report(now), buildGoodbye(this.#options.sender.ssrc)])
  }

  #take(packet: RtcpPacket, news: News, now: Millis): void {
    const { sender, receiver } = this.#options
    switch (packet.kind) {
      case 'sender-report':
        this.#takeReports(packet, news, now)
        if (packet.ssrc === receiver.ssrc) news.senderReport = this.#remember(packet, now)
        break
      case 'receiver-report':
        this.#takeReports(packet, news, now)
        break
      case 'goodbye':
        if (receiver.ssrc !== undefined && packet.ssrcs.includes(receiver.ssrc)) news.goodbye = true
        break
      case 'picture-loss':
        if (packet.mediaSsrc === sender.ssrc) news.keyFrameWanted = true
        break
      case 'full-intra-request':
        if (packet.mediaSsrcs.includes(sender.ssrc)) news.keyFrameWanted = true
    }
  }

  #takeReports({ reports }: SenderReport | ReceiverReport, news: News, now: Millis): void {
    const block = reports.find(({ ssrc }) => ssrc === this.#options.sender.ssrc)
    if (block === undefined) return
    news.lossFraction = block.lossFraction
    news.jitterMs = (1_000 * block.jitterTicks) / this.#clockRateHz
    const sentAt = this.#reportedAt.get(block.lastSenderReport)
    if (sentAt === undefined) return
    // RFC 3550 §6.4.1, with our own record of when the report left instead of its NTP time.
    news.roundTripMs = Math.max(0, now - sentAt - (1_000 * block.delay) / DELAY_UNITS)
  }

  #remember(report: SenderReport, now: Millis): SenderClock {
    const { ssrc, ntpSeconds, ntpFraction, timestamp } = report
    this.#peerReport = { ssrc, middle: middleOf({ seconds: ntpSeconds, fraction: ntpFraction }), at: now }
    return { ssrc, ntpSeconds, ntpFraction, timestamp, receivedAt: now }
  }

  /** A report and the CNAME: what every compound packet begins with (RFC 3550 §6.1). */
  #report(now: Millis): Buffer[] {
    const { sender, cname } = this.#options
    const reports = this.#blocks(now)
    const timestamp = sender.packetsSent === this.#sentAtReport ? undefined : this.#clockAt(now)
    this.#sentAtReport = sender.packetsSent
    const report =
      timestamp === undefined
        ? buildReceiverReport({ ssrc: sender.ssrc, reports })
        : this.#senderReport(timestamp, reports, now)
    return [report, buildSourceDescription(sender.ssrc, cname)]
  }

  #senderReport({ ntp, timestamp }: StreamClock, reports: readonly ReportBlock[], now: Millis): Buffer {
    const { ssrc, packetsSent: packets, bytesSent: bytes } = this.#options.sender
    this.#reportedAt.set(middleOf(ntp), now)
    const [oldest] = this.#reportedAt.keys()
    if (this.#reportedAt.size > REPORTS_KEPT && oldest !== undefined) this.#reportedAt.delete(oldest)
    return buildSenderReport({
      ssrc,
      ntpSeconds: ntp.seconds,
      ntpFraction: ntp.fraction,
      timestamp,
      packets,
      bytes,
      reports,
    })
  }

  /** The source's own pair of clocks if it told one, so that its audio and video stay in step; else ours. */
  #clockAt(now: Millis): StreamClock | undefined {
    const { sender } = this.#options
    const source = this.#sourceClock
    const mapped = source === undefined ? undefined : sender.mapTimestamp(source.ssrc, source.timestamp)
    if (source === undefined || mapped === undefined) {
      const timestamp = sender.timestampAt(now)
      return timestamp === undefined ? undefined : { ntp: ntpOf(now), timestamp }
    }
    const sinceMs = now - source.receivedAt
    return {
      ntp: later({ seconds: source.ntpSeconds, fraction: source.ntpFraction }, sinceMs),
      timestamp: (mapped + Math.round((sinceMs * this.#clockRateHz) / 1_000)) >>> 0,
    }
  }

  #blocks(now: Millis): readonly ReportBlock[] {
    const report = this.#options.receiver.report()
    if (report === undefined) return []
    const peer = this.#peerReport?.ssrc === report.ssrc ? this.#peerReport : undefined
    const delay = peer === undefined ? 0 : Math.round(((now - peer.at) * DELAY_UNITS) / 1_000)
    return [{ ...report, lastSenderReport: peer?.middle ?? 0, delay }]
  }

  /** Streams must not report all at once (RFC 3550 §6.3); the SSRC is random enough. */
  #spread(): number {
    return this.#options.sender.ssrc % SPREAD_MS
  }
}

interface StreamClock {
  readonly ntp: NtpTime
  readonly timestamp: number
}

const FIRST_REPORT_MS = 800
const REPORT_MS = 4_500
const SPREAD_MS = 500
const REPORTS_KEPT = 4
const REQUEST_MS = 500
const REQUEST_AGAIN_MS = 3_000
/** Delays are told in 1/65536 s. */
const DELAY_UNITS = 65_536
