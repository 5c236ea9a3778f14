import { type ByteString, GatewayError, type IdSource, type Millis } from '../../base/index.ts'
import type { Authorization, DigestAlgorithm, DigestHash } from './model.ts'

/** Value of WWW-Authenticate or Proxy-Authenticate. */
export function createChallenge(_challenge: {
  readonly realm: string
  readonly nonce: string
  readonly algorithm: DigestAlgorithm
  readonly stale?: boolean
}): ByteString {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** @returns undefined if the scheme is not Digest. @throws GatewayError `SIP_AUTH_MALFORMED` */
export function parseAuthorization(_value: ByteString): Authorization | undefined {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** Whether the response proves the password (RFC 7616 §3.4.1). The nonce is not looked at: see `createNonces`. */
export function verifyDigest(_proof: {
  readonly authorization: Authorization
  readonly method: string
  /** Request-URI; if given, the digest's `uri` must be the same (RFC 3261 §19.1.4). */
  readonly uri?: ByteString | undefined
  readonly password: string
  readonly hash: DigestHash
  /** For `auth-int`. */
  readonly body?: ByteString | undefined
}): boolean {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** Nonces that carry their own proof of origin; only the counts seen are remembered, and those are bounded. */
export interface Nonces {
  issue(now: Millis): string
  /** `stale`: ours, but too old or its count was seen. `unknown`: not ours. */
  check(nonce: ByteString, nonceCount: number | undefined, now: Millis): 'ok' | 'stale' | 'unknown'
}

export function createNonces(_options: {
  /** A keyed hash of text, as hex. */
  readonly secretHash: (text: string) => string
  readonly ids: IdSource
  readonly lifetimeMs: number
  /** Nonces whose counts are remembered. Default 10_000; the oldest is forgotten and turns stale. */
  readonly remembered?: number
}): Nonces {
  throw new GatewayError('INTERNAL', 'not there yet')
}
