import { RTCP_TYPE, startPacket } from './header.ts'

/** PLI: a key frame is wanted (RFC 4585 §6.3.1). */
export interface PictureLoss {
  readonly kind: 'picture-loss'
  readonly mediaSsrc: number
}

export const PLI_FORMAT = 1

/** `packet` is one RTCP packet without padding. */
export function readPictureLoss(packet: Buffer): PictureLoss | undefined {
  return packet.length < 12 ? undefined : { kind: 'picture-loss', mediaSsrc: packet.readUInt32BE(8) }
}

export function buildPictureLoss(ssrc: number, mediaSsrc: number): Buffer {
  const packet = startPacket(RTCP_TYPE.payloadFeedback, PLI_FORMAT, 12)
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt32BE(mediaSsrc, 8)
  return packet
}
