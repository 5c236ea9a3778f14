import { randomBytes } from 'node:crypto'
import type { IdSource } from '../base/index.ts'

/** Tokens nobody can guess, one hex digit for each four bits. */
export const randomIds: IdSource = {
  token: (bits = 64) => randomBytes(Math.ceil(bits / 8)).toString('hex'),
}
