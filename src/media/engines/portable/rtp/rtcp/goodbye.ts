import { RTCP_TYPE, startPacket } from './header.ts'

/** BYE (RFC 3550 §6.6). The reason is for people and is not read. */
export interface Goodbye {
  readonly kind: 'goodbye'
  readonly ssrcs: readonly number[]
}

/** `packet` is one RTCP packet without padding. */
export function readGoodbye(packet: Buffer, count: number): Goodbye {
  const ssrcs: number[] = []
  for (let at = 4; ssrcs.length < count && at + 4 <= packet.length; at += 4) ssrcs.push(packet.readUInt32BE(at))
  return { kind: 'goodbye', ssrcs }
}

export function buildGoodbye(ssrc: number): Buffer {
  const packet = startPacket(RTCP_TYPE.goodbye, 1, 8)
  packet.writeUInt32BE(ssrc, 4)
  return packet
}
