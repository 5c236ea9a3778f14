import { createHmac } from 'node:crypto'

/** The TLS 1.2 pseudo-random function with SHA-256 (RFC 5246 §5). */
export function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'latin1'), seed])
  const blocks: Buffer[] = []
  let a: Buffer = labelled
  for (let made = 0; made < length; made += 32) {
    a = hmac(secret, a)
    blocks.push(hmac(secret, Buffer.concat([a, labelled])))
  }
  return Buffer.concat(blocks).subarray(0, length)
}

function hmac(key: Buffer, data: Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
