import { randomFillSync } from 'node:crypto'
import type { IdSource } from './base/index.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz012345'
const pool = new Uint8Array(4_096)
let used = pool.length

/** Tokens nobody can guess: 5 bits of the system's generator per character, fetched many at once. */
export const randomIds: IdSource = {
  token(bits = 64) {
    const length = Math.ceil(bits / 5)
    let out = ''
    for (let i = 0; i < length; i++) out += ALPHABET[nextByte() & 31]
    return out
  },
}

function nextByte(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const byte = pool[used] ?? 0
  pool[used++] = 0 // What was handed out is nowhere else.
  return byte
}
