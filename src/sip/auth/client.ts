import { type ByteString, GatewayError } from '../../base/index.ts'
import type { HeaderField, SipResponse } from '../message/model.ts'
import type { Challenge, DigestHash } from './model.ts'

/** The Digest challenges of a 401 or 407 that we can answer, in their order (RFC 8760 §2.4: take the first). */
export function parseChallenges(_response: SipResponse): readonly Challenge[] {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** The Authorization or Proxy-Authorization line that answers a challenge. */
export function answerChallenge(_answer: {
  readonly challenge: Challenge
  readonly method: string
  /** Request-URI. */
  readonly uri: ByteString
  readonly username: string
  readonly password: string
  readonly cnonce: string
  /** 1 for the first use of the nonce. */
  readonly nonceCount: number
  readonly hash: DigestHash
  readonly body?: ByteString | undefined
}): HeaderField {
  throw new GatewayError('INTERNAL', 'not there yet')
}
