import type { Random } from '../support/random.ts'

/** A changed copy: bits flipped, bytes set to edges, pieces cut out, doubled or taken from another input. */
export function mutate(input: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let out = Buffer.from(input)
  for (let left = random.between(1, 4); left > 0; left--) out = Buffer.from(mutateOnce(out, others, random))
  return out.subarray(0, MAX_BYTES)
}

function mutateOnce(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  const at = random.between(0, Math.max(0, bytes.length - 1))
  const end = Math.min(bytes.length, at + random.between(1, 16))
  switch (random.between(0, 6)) {
    case 0:
      if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.between(0, 7))
      return bytes
    case 1:
      if (bytes.length > 0) bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff])
      return bytes
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
    case 4:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
    case 5: {
      const other = others[random.between(0, Math.max(0, others.length - 1))] ?? bytes
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random.between(0, other.length))])
    }
    default:
      if (bytes.length >= 4)
        bytes.writeUInt16BE(random.pick([0, 1, 4, 0x7fff, 0xffff, bytes.length]), at & ~1 & (bytes.length - 2))
      return bytes
  }
}

const MAX_BYTES = 65_507
