import type { ByteString } from '../base/index.ts'

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

/** The media end of one headless call: one audio stream of G.711 µ-law in 20 ms packets. */
export interface MediaPeer {
  /** Our SDP offer. */
  offer(): ByteString
  /** Our SDP answer to `offer`. */
  answer(offer: ByteString): ByteString
  /** Takes the answer to our offer, or an early one. */
  accept(answer: ByteString): void
  /** Media may be sent: at once for plain RTP, after ICE and DTLS for WebRTC. */
  readonly connected: Promise<void>
  /** Sends 20 ms of audio; sequence and timestamp advance by themselves. */
  send(payload: Buffer): void
  onPacket: (packet: ReceivedPacket) => void
  /** What `connected` is still waiting for, for an error's text. */
  state(): string
  close(): void
}

/** Samples and bytes of one packet: 20 ms at 8,000 Hz. */
export const FRAME_SAMPLES = 160
export const PCMU = 0
