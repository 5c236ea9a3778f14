import { type ByteString, GatewayError } from '../base/index.ts'
import { type MediaSection, parseSdp } from '../sdp/index.ts'

/** One RTP packet as the peer got it, after decryption. */
export interface ReceivedPacket {
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly payloadType: number
  readonly payload: Buffer
  /** `performance.now()` when the datagram was read. */
  readonly atMs: number
}

/** What was agreed on, in words for a person. */
export interface MediaDetails {
  /** `PCMU/8000`. */
  readonly codec: string
  /** `none`, or the SRTP suite and how its keys were made. */
  readonly security: string
  /** Where media is sent to: `192.0.2.1:20000`. */
  readonly remote: string
}

/** The media end of one headless call: one audio stream of G.711 µ-law in 20 ms packets. */
export interface MediaPeer {
  /** Our SDP offer. */
  offer(): ByteString
  /**
   * Our SDP answer to `offer`.
   *
   * @throws GatewayError `SDP_NO_COMMON_CODEC`, `SDP_UNSUPPORTED` or `SDP_MALFORMED`: no call can come of this offer.
   */
  answer(offer: ByteString): ByteString
  /** Takes the answer to our offer, or an early one. Throws like `answer`. */
  accept(answer: ByteString): void
  /** Media may be sent: at once for plain RTP, after ICE and DTLS for WebRTC. */
  readonly connected: Promise<void>
  /** Sends 20 ms of audio; sequence and timestamp advance by themselves. */
  send(payload: Buffer): void
  onPacket: (packet: ReceivedPacket) => void
  /** What `connected` is still waiting for, for an error's text. */
  state(): string
  /** Known once connected. */
  details(): MediaDetails | undefined
  close(): void
}

/**
 * The audio of the other side's SDP, which must take what we send.
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC` if there is no audio or no PCMU, `SDP_MALFORMED` if it cannot be read.
 */
export function audioWithPcmu(sdp: ByteString): MediaSection {
  const audio = parseSdp(sdp).media.find((section) => section.kind === 'audio' && section.port !== 0)
  if (!audio) throw new GatewayError('SDP_NO_COMMON_CODEC', 'the gateway takes no audio')
  if (!audio.codecs.some((codec) => codec.payloadType === PCMU)) {
    const taken = audio.codecs.map(({ name, clockRateHz }) => `${name}/${clockRateHz}`).join(', ')
    throw new GatewayError('SDP_NO_COMMON_CODEC', `the gateway did not take PCMU, only ${taken || 'nothing'}`)
  }
  return audio
}

/** Samples and bytes of one packet: 20 ms at 8,000 Hz. */
export const FRAME_SAMPLES = 160
/** Payload type of G.711 µ-law (RFC 3551 §6). */
export const PCMU = 0
export const CODEC = 'PCMU/8000'
