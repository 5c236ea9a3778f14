import { type ByteString, encodeUtf8 } from '../../base/index.ts'
import type { DigestAlgorithm, DigestHash } from './model.ts'

/** What goes into a digest (RFC 7616 §3.4.1), besides the hash. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm
  /** `-sess` variant: A1 has the nonces in it. */
  readonly session: boolean
  readonly username: ByteString
  readonly realm: ByteString
  readonly password: string
  readonly method: string
  readonly uri: ByteString
  readonly nonce: ByteString
  /** Absent: the calculation of RFC 2069. */
  readonly protection?: {
    readonly qop: string
    readonly nc: string
    readonly cnonce: ByteString
  }
  /** For the `-sess` variants, which need it whatever the protection is. */
  readonly cnonce?: ByteString | undefined
  /** For `auth-int`. */
  readonly body?: ByteString | undefined
}

/** The `response` value. */
export function digestResponse(input: DigestInput, hash: DigestHash): string {
  const h = (data: ByteString): string => hash(input.algorithm, data)
  const { nonce, protection } = input
  const a1 = hashedA1(input, h)
  const a2 = h(a2Of(input, h))
  if (protection === undefined) return h(`${a1}:${nonce}:${a2}`)
  return h(`${a1}:${nonce}:${protection.nc}:${protection.cnonce}:${protection.qop}:${a2}`)
}

function hashedA1(input: DigestInput, h: (data: ByteString) => string): string {
  const a1 = h(`${input.username}:${input.realm}:${encodeUtf8(input.password)}`)
  return input.session ? h(`${a1}:${input.nonce}:${input.protection?.cnonce ?? input.cnonce ?? ''}`) : a1
}

function a2Of(input: DigestInput, h: (data: ByteString) => string): ByteString {
  const plain = `${input.method}:${input.uri}`
  return input.protection?.qop === 'auth-int' ? `${plain}:${h(input.body ?? '')}` : plain
}

/** The algorithm behind a name as `SHA-256-sess`, in any case; absent means MD5. Undefined if it is not known here. */
export function algorithmOf(
  name: string | undefined,
): { readonly algorithm: DigestAlgorithm; readonly session: boolean } | undefined {
  const text = (name ?? 'MD5').toUpperCase()
  const session = text.endsWith('-SESS')
  const algorithm = session ? text.slice(0, -5) : text
  return algorithm === 'MD5' || algorithm === 'SHA-256' ? { algorithm, session } : undefined
}
