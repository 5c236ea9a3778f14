import type { ByteString } from '../../base/index.ts'

export type DigestAlgorithm = 'MD5' | 'SHA-256'

/** Hash of the bytes as lower-case hex. Injected; pure code has no cryptography. */
export type DigestHash = (algorithm: DigestAlgorithm, data: ByteString) => string

/** The fields of `Authorization: Digest …` and `Proxy-Authorization`, unquoted. */
export interface Authorization {
  readonly username: ByteString
  readonly realm: ByteString
  readonly nonce: ByteString
  readonly uri: ByteString
  readonly response: string
  /** As written; absent means MD5. */
  readonly algorithm?: string | undefined
  readonly cnonce?: ByteString | undefined
  readonly opaque?: ByteString | undefined
  readonly qop?: string | undefined
  /** The eight digits of nc as they stood, and as a number. */
  readonly nc?: string | undefined
  readonly nonceCount?: number | undefined
}

/** One challenge of a 401 or 407. */
export interface Challenge {
  /** Which header answers it. */
  readonly from: 'server' | 'proxy'
  readonly realm: ByteString
  readonly nonce: ByteString
  readonly algorithm: DigestAlgorithm
  /** `-sess` variant. */
  readonly session: boolean
  readonly stale: boolean
  readonly opaque?: ByteString | undefined
  /** Offered protections; empty: RFC 2069 style. */
  readonly qop: readonly ('auth' | 'auth-int')[]
}
