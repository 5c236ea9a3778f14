import { type ByteString, encodeUtf8, GatewayError } from '../../base/index.ts'
import { quote } from '../message/syntax.ts'
import { uriEquals } from '../message/uri.ts'
import { parseAuthParams } from './auth-params.ts'
import { algorithmOf, type DigestInput, digestResponse } from './digest.ts'
import type { Authorization, DigestAlgorithm, DigestHash } from './model.ts'

/** Value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3). */
export function createChallenge(challenge: {
  readonly realm: string
  readonly nonce: string
  readonly algorithm: DigestAlgorithm
  readonly stale?: boolean
}): ByteString {
  const { realm, nonce, algorithm, stale } = challenge
  const staleness = stale === true ? ', stale=true' : ''
  return `Digest realm=${quote(encodeUtf8(realm))}, nonce="${nonce}", algorithm=${algorithm}, qop="auth"${staleness}`
}

/**
 * The credentials in a header value.
 *
 * @returns undefined if the scheme is not Digest.
 * @throws GatewayError `SIP_AUTH_MALFORMED`
 */
export function parseAuthorization(value: ByteString): Authorization | undefined {
  if (!/^digest[ \t]/i.test(value)) return undefined
  const params = parseAuthParams(value)?.params
  if (params === undefined) throw malformed('The Digest credentials are not a list of name=value')
  const nc = params.get('nc')
  if (nc !== undefined && !/^[0-9a-f]{8}$/i.test(nc)) throw malformed('nc is not eight hexadecimal digits')
  if (params.has('qop') && (nc === undefined || !params.has('cnonce'))) throw malformed('qop without nc or cnonce')
  return {
    username: required(params, 'username'),
    realm: required(params, 'realm'),
    nonce: required(params, 'nonce'),
    uri: required(params, 'uri'),
    response: required(params, 'response').toLowerCase(),
    algorithm: params.get('algorithm'),
    cnonce: params.get('cnonce'),
    opaque: params.get('opaque'),
    qop: params.get('qop')?.toLowerCase(),
    nc,
    nonceCount: nc === undefined ? undefined : Number.parseInt(nc, 16),
  }
}

function required(params: ReadonlyMap<string, ByteString>, name: string): ByteString {
  const value = params.get(name)
  if (value === undefined) throw malformed(`The Digest credentials have no ${name}`)
  return value
}

function malformed(what: string): GatewayError {
  return new GatewayError('SIP_AUTH_MALFORMED', what)
}

/** A claim of a user and what is needed to check it. */
export interface DigestProof {
  readonly authorization: Authorization
  readonly method: string
  /** Request-URI; if given, the digest's `uri` must be the same (RFC 3261 §19.1.4). */
  readonly uri?: ByteString | undefined
  readonly password: string
  readonly hash: DigestHash
  /** Those that were offered: a peer must not be brought to use another. Default: all. */
  readonly algorithms?: readonly DigestAlgorithm[] | undefined
  /** For `auth-int`. */
  readonly body?: ByteString | undefined
}

/**
 * Whether the response proves the password (RFC 7616 §3.4.1). False too for an algorithm that was not offered and for a
 * protection that is not known here. The nonce is not looked at: see `createNonces`.
 */
export function verifyDigest(proof: DigestProof): boolean {
  const { authorization, method, uri, password, hash, algorithms, body } = proof
  const algorithm = algorithmOf(authorization.algorithm)
  const { qop, nc, cnonce } = authorization
  if (algorithm === undefined || (qop !== undefined && qop !== 'auth' && qop !== 'auth-int')) return false
  if (algorithms !== undefined && !algorithms.includes(algorithm.algorithm)) return false
  if (uri !== undefined && !isSameUri(authorization.uri, uri)) return false
  const input: DigestInput = {
    ...algorithm,
    username: authorization.username,
    realm: authorization.realm,
    password,
    method,
    uri: authorization.uri,
    nonce: authorization.nonce,
    ...(qop === undefined ? undefined : { protection: { qop, nc: nc ?? '', cnonce: cnonce ?? '' } }),
    cnonce,
    body,
  }
  return sameText(digestResponse(input, hash), authorization.response)
}

function isSameUri(claimed: ByteString, actual: ByteString): boolean {
  if (claimed === actual) return true
  try {
    return uriEquals(claimed, actual)
  } catch {
    return false // What the client signed is no URI at all.
  }
}

/** Takes the same time wherever the texts differ. */
function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
