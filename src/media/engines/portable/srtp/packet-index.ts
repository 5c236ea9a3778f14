/**
 * The rollover counter a sequence number belongs to: the one that brings it closest to the highest so far
 * (RFC 3711 §3.3.1, appendix A). 2^32 - 1 for a packet from before the start (`roc` 0).
 */
export function estimateRoc(roc: number, highestSequence: number, sequence: number): number {
  if (highestSequence < 0x8000) {
    return sequence - highestSequence > 0x8000 ? (roc - 1) >>> 0 : roc
  }
  return highestSequence - 0x8000 > sequence ? (roc + 1) >>> 0 : roc
}

/** The 48-bit index of a packet, from the highest index so far; `undefined`: before the start or past the end. */
export function packetIndex(highest: number, sequence: number): number | undefined {
  if (highest < 0) return sequence
  const roc = Math.floor(highest / SEQUENCES)
  const estimate = estimateRoc(roc, highest % SEQUENCES, sequence)
  // After 2^48 packets the key must not be used any more (§9.2); nor is there a packet before the first.
  if (Math.abs(estimate - roc) > 1) return undefined
  return estimate * SEQUENCES + sequence
}

const SEQUENCES = 0x1_0000
