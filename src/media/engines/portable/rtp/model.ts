import type { Millis } from '../../../../base/index.ts'
import type { MediumKind } from '../../../model.ts'
import type { RtpHeader } from './packet.ts'

/** How packets of one payload type of a source go out to a peer. Made once per negotiation, not per packet. */
export interface Route {
  /** The number of the codec toward the peer. */
  readonly payloadType: number
  /** Clock of the audio or video stream on the outgoing SSRC, in Hz (48000 for Opus, 8000 for G.711 and G.722). */
  readonly clockRateHz: number
  /** Set for telephone-event: clocks its durations are counted in, at the source and toward the peer, in Hz. */
  readonly event?: { readonly fromHz: number; readonly toHz: number }
  /** Default audio. */
  readonly kind?: MediumKind
  /** `a=extmap` id and value of sdes:mid, if the peer agreed to it. */
  readonly mid?: { readonly id: number; readonly value: string }
}

export interface RtpSenderOptions {
  /** The one SSRC that leaves toward the peer. */
  readonly ssrc: number
  /** First sequence number, 16 bits, and timestamp, 32 bits; both random (RFC 3550 §5.1). */
  readonly firstSequence: number
  readonly firstTimestamp: number
}

/**
 * One outgoing RTP stream: one SSRC, one line of sequence numbers and timestamps, whatever the sources do.
 */
export interface RtpSender {
  readonly ssrc: number
  /** Packets and payload bytes given out, as counted in sender reports. */
  readonly packetsSent: number
  readonly bytesSent: number
  /**
   * The next source begins: its first packet continues the line, with the marker bit. Also to be called when the
   * same peer starts anew (connect, resume after a codec change).
   */
  switchSource(): void
  /**
   * A packet of the source as a packet of this stream.
   *
   * A jump of the source's numbers is taken as its new beginning; pass only what the receiver found plausible.
   *
   * @returns `undefined`: the packet is a repetition or too late; nothing is sent.
   */
  forward(packet: Buffer, header: RtpHeader, route: Route, now: Millis): Buffer | undefined
  /** A packet made here (tone): the next sequence number, timestamp advanced by `ticks` since the last one. */
  produce(payload: Uint8Array, ticks: number, route: Route, now: Millis): Buffer
  /**
   * A packet made here that goes out beside the source's (an event): the next sequence number, the timestamp as given.
   *
   * @param timestamp As `eventStart` gave it.
   */
  insert(payload: Uint8Array, timestamp: number, marker: boolean, route: Route): Buffer
  /** The timestamp of an event that begins now. */
  eventStart(clockRateHz: number, now: Millis): number
  /** Clock of what is sent now; `undefined`: nothing yet. */
  readonly clockRateHz: number | undefined
  /** The timestamp on this stream of a timestamp of the current source; `undefined`: no packet of it came through. */
  mapTimestamp(ssrc: number, timestamp: number): number | undefined
  /** Where the stream's clock is at `now`; `undefined` before the first packet. */
  timestampAt(now: Millis): number | undefined
}

/** Statistics of one incoming stream (RFC 3550 §6.4, appendix A). A new SSRC starts anew; the totals go on. */
export interface RtpReceiver {
  /** @returns `false`: not plausible yet (a jump of the sequence number, RFC 3550 A.1). */
  onPacket(header: RtpHeader, packetBytes: number, clockRateHz: number, now: Millis): boolean
  readonly ssrc: number | undefined
  readonly packetsReceived: number
  readonly bytesReceived: number
  /** Expected minus received over all SSRCs (appendix A.3). */
  readonly packetsLost: number
  readonly jitterMs: number
  /** The report block for the current SSRC; its loss fraction counts from the report before. */
  report(): ReceptionReport | undefined
}

/** What a report block says of one stream (RFC 3550 §6.4.1), save the clocks of the sender report. */
export interface ReceptionReport {
  readonly ssrc: number
  /** From 0 to 1. */
  readonly lossFraction: number
  /** May be negative with duplicates. */
  readonly packetsLost: number
  /** Extended: cycles in the upper 16 bits. */
  readonly highestSequence: number
  readonly jitterTicks: number
}

export interface DtmfDigit {
  /** `0`-`9`, `*`, `#`, `A`-`D`. */
  readonly digit: string
  readonly durationMs: number
}

/** Tells each telephone-event once (RFC 4733 §2.5). */
export interface DtmfDetector {
  /** A telephone-event packet; gives the digits that are finished with it, most often none. */
  onPacket(packet: Buffer, header: RtpHeader, clockRateHz: number, now: Millis): readonly DtmfDigit[]
  /** Time passed: ends an event whose end packets were lost. */
  onWakeup(now: Millis): readonly DtmfDigit[]
  deadline(): Millis | undefined
}

/** What RTCP of a peer told about what we send, and asked for. */
export interface RtcpNews {
  readonly lossFraction?: number
  readonly jitterMs?: number
  readonly roundTripMs?: number
  /** The peer wants a key frame (PLI or FIR): pass it to the source. */
  readonly keyFrameWanted: boolean
  /** The peer said goodbye for the SSRC we receive. */
  readonly goodbye: boolean
  /** The peer's sender report about the SSRC we receive, for the sender on the other side. */
  readonly senderReport?: SenderClock
}

/** The pair of clocks in a sender report: the wallclock (NTP, 64 bits as two halves) at an RTP timestamp. */
export interface SenderClock {
  readonly ssrc: number
  readonly ntpSeconds: number
  readonly ntpFraction: number
  readonly timestamp: number
  readonly receivedAt: Millis
}

export interface StreamRtcpOptions {
  readonly cname: string
  readonly sender: RtpSender
  readonly receiver: RtpReceiver
  /** Clock of what we send, in Hz; may change with the negotiation (`setClockRate`). */
  readonly clockRateHz: number
}

/**
 * RTCP of one stream toward one peer. It ends here: we report what we received ourselves and what we send, in the
 * clock of the source so that audio and video stay in step.
 */
export interface StreamRtcp {
  setClockRate(clockRateHz: number): void
  /** A compound packet of the peer, decrypted. Malformed rests are ignored. */
  onPacket(compound: Buffer, now: Millis): RtcpNews
  /** The source connected to us sent a sender report (`RtcpNews.senderReport` of the other side). */
  onSourceReport(clock: SenderClock): void
  /** The connected source is another one: its reports are not valid any more. */
  switchSource(): void
  /** The compound packet that is due (SR or RR, and SDES), or `undefined`. Call at `deadline()` or oftener. */
  poll(now: Millis): Buffer | undefined
  deadline(): Millis
  /** A key-frame request (PLI, and FIR where PLI is ignored) for the SSRC we receive; at most one in 500 ms. */
  keyFrameRequest(now: Millis): Buffer | undefined
  /** Goodbye for our SSRC, to be sent once at the end. */
  goodbye(now: Millis): Buffer
}
