import { type KeyObject, sign, verify } from 'node:crypto'
import { DecodeError } from './wire.ts'

/** Signature schemes by their TLS 1.2 code (RFC 5246 §7.4.1.4.1): hash, then kind of key. */
const SCHEMES: ReadonlyMap<number, { readonly hash: string; readonly keyType: 'ec' | 'rsa' }> = new Map([
  [0x0403, { hash: 'sha256', keyType: 'ec' }],
  [0x0503, { hash: 'sha384', keyType: 'ec' }],
  [0x0603, { hash: 'sha512', keyType: 'ec' }],
  [0x0401, { hash: 'sha256', keyType: 'rsa' }],
  [0x0501, { hash: 'sha384', keyType: 'rsa' }],
  [0x0601, { hash: 'sha512', keyType: 'rsa' }],
])

/** ECDSA with SHA-256: what we sign with. */
export const OUR_SCHEME = 0x0403
/** What we accept from peers, most wanted first. */
export const ACCEPTED_SCHEMES: readonly number[] = [...SCHEMES.keys()]

/** @throws DecodeError for a scheme we did not offer or that does not fit the key. */
export function isSignedBy(publicKey: KeyObject, scheme: number, data: Buffer, signature: Buffer): boolean {
  const known = SCHEMES.get(scheme)
  if (known === undefined) throw new DecodeError(`signature scheme 0x${scheme.toString(16)} was not offered`)
  if (publicKey.asymmetricKeyType !== known.keyType) throw new DecodeError('the signature does not fit the key')
  return verify(known.hash, data, publicKey, signature)
}

export function signWith(privateKey: KeyObject, data: Buffer): Buffer {
  return sign('sha256', data, privateKey)
}
