import { RTCP_TYPE, startPacket } from './header.ts'

/** FIR: a key frame is wanted, for sure (RFC 5104 §4.3.1). */
export interface FullIntraRequest {
  readonly kind: 'full-intra-request'
  readonly mediaSsrcs: readonly number[]
}

export const FIR_FORMAT = 4

/** `packet` is one RTCP packet without padding. */
export function readFullIntraRequest(packet: Buffer): FullIntraRequest {
  const mediaSsrcs: number[] = []
  for (let at = 12; at + 8 <= packet.length; at += 8) mediaSsrcs.push(packet.readUInt32BE(at))
  return { kind: 'full-intra-request', mediaSsrcs }
}

/** @param sequence One more for each new request, modulo 256; a repetition keeps it. */
export function buildFullIntraRequest(ssrc: number, mediaSsrc: number, sequence: number): Buffer {
  const packet = startPacket(RTCP_TYPE.payloadFeedback, FIR_FORMAT, 20)
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt32BE(mediaSsrc, 12)
  packet.writeUInt8(sequence & 0xff, 16)
  return packet
}
