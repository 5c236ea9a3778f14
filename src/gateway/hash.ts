import { createHash } from 'node:crypto'
import type { DigestHash } from '../sip/index.ts'

const NAMES = { MD5: 'md5', 'SHA-256': 'sha256' } as const

/** Hashes of digest authentication (RFC 7616 §3.3) over the bytes of the wire. */
export const digestHash: DigestHash = (algorithm, data) =>
  createHash(NAMES[algorithm]).update(data, 'latin1').digest('hex')
