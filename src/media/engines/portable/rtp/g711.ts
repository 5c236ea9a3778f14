/** µ-law or A-law (ITU-T G.711). */
export type G711Law = 'PCMU' | 'PCMA'

/** One byte for each sample of 16 bits. */
export function encodeG711(law: G711Law, samples: Int16Array): Buffer {
  const table = law === 'PCMU' ? muLawCode : aLawCode
  const out = Buffer.allocUnsafe(samples.length)
  for (let i = 0; i < samples.length; i++) out.writeUInt8(table(samples[i] ?? 0), i)
  return out
}

/** One sample of 16 bits for each byte. */
export function decodeG711(law: G711Law, bytes: Uint8Array): Int16Array {
  const table = law === 'PCMU' ? MU_LAW : A_LAW
  const out = new Int16Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i] ?? 0] ?? 0
  return out
}

const MU_LAW_BIAS = 0x84
const MU_LAW_CLIP = 32_635

function muLawCode(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), MU_LAW_CLIP) + MU_LAW_BIAS
  const exponent = 24 - Math.clz32(magnitude)
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

function muLawSample(code: number): number {
  const bits = ~code & 0xff
  const exponent = (bits >> 4) & 0x07
  const magnitude = ((((bits & 0x0f) << 3) + MU_LAW_BIAS) << exponent) - MU_LAW_BIAS
  return (bits & 0x80) === 0 ? magnitude : -magnitude
}

function aLawCode(sample: number): number {
  // Negative samples use the one's complement, so that both halves have the same steps.
  const magnitude = sample < 0 ? ~sample : sample
  const exponent = Math.max(0, 24 - Math.clz32(magnitude))
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f
  return ((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55
}

function aLawSample(code: number): number {
  const bits = code ^ 0x55
  const exponent = (bits >> 4) & 0x07
  const step = ((bits & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1)
  return (bits & 0x80) === 0 ? -magnitude : magnitude
}

const MU_LAW: Int16Array = Int16Array.from({ length: 256 }, (_, code) => muLawSample(code))
const A_LAW: Int16Array = Int16Array.from({ length: 256 }, (_, code) => aLawSample(code))
