import { randomBytes } from 'node:crypto'
import type { IdSource } from './base/index.ts'

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'

/** Tokens nobody can guess: 5 bits of the system's generator per character. */
export const randomIds: IdSource = {
  token(bits = 64) {
    const bytes = randomBytes(Math.ceil(bits / 5))
    let out = ''
    for (const byte of bytes) out += ALPHABET[byte & 31]
    return out
  },
}
