import { type ByteString, encodeUtf8 } from '../../base/index.ts'
import type { HeaderField, SipResponse } from '../message/model.ts'
import { quote } from '../message/syntax.ts'
import { parseAuthParams } from './auth-params.ts'
import { algorithmOf, type DigestInput, digestResponse } from './digest.ts'
import type { Challenge, DigestHash } from './model.ts'

const SOURCES = [
  { header: 'WWW-Authenticate', from: 'server' },
  { header: 'Proxy-Authenticate', from: 'proxy' },
] as const

/** The Digest challenges of a 401 or 407 that we can answer, in their order (RFC 8760 §2.4: take the first). */
export function parseChallenges(response: SipResponse): readonly Challenge[] {
  return SOURCES.flatMap(({ header, from }) =>
    response.headers.values(header).flatMap((value) => parseChallenge(value, from)),
  )
}

function parseChallenge(value: ByteString, from: Challenge['from']): readonly Challenge[] {
  const parsed = parseAuthParams(value)
  const realm = parsed?.params.get('realm')
  const nonce = parsed?.params.get('nonce')
  const algorithm = algorithmOf(parsed?.params.get('algorithm'))
  if (parsed?.scheme !== 'digest' || realm === undefined || nonce === undefined || algorithm === undefined) return []
  const stale = parsed.params.get('stale')?.toLowerCase() === 'true'
  const offered = parsed.params.get('qop')
  const qop = protectionsOf(offered)
  if (offered !== undefined && qop.length === 0) return [] // Only protections we do not know.
  return [{ from, realm, nonce, ...algorithm, stale, opaque: parsed.params.get('opaque'), qop }]
}

function protectionsOf(text: ByteString | undefined): Challenge['qop'] {
  const names = (text ?? '').split(',').map((name) => name.trim().toLowerCase())
  return (['auth', 'auth-int'] as const).filter((known) => names.includes(known))
}

/** A challenge and who answers it. */
export interface ChallengeAnswer {
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
}

/** The Authorization or Proxy-Authorization line that answers a challenge (RFC 7616 §3.4). */
export function answerChallenge(answer: ChallengeAnswer): HeaderField {
  const { challenge, method, uri, cnonce, nonceCount, hash } = answer
  const { realm, nonce, algorithm, session, opaque } = challenge
  const username = encodeUtf8(answer.username)
  const [qop] = challenge.qop
  const nc = nonceCount.toString(16).padStart(8, '0')
  const protection = qop === undefined ? undefined : { protection: { qop, nc, cnonce } }
  const input: DigestInput = {
    ...{ algorithm, session, username, realm, password: answer.password, method, uri, nonce, cnonce },
    ...protection,
    body: answer.body,
  }
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri="${uri}"`,
    `response="${digestResponse(input, hash)}"`,
    `algorithm=${algorithm}${session ? '-sess' : ''}`,
  ]
  if (qop !== undefined) fields.push(`cnonce="${cnonce}"`, `nc=${nc}`, `qop=${qop}`)
  else if (session) fields.push(`cnonce="${cnonce}"`)
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`)
  const name = challenge.from === 'server' ? 'Authorization' : 'Proxy-Authorization'
  return { name, value: `Digest ${fields.join(', ')}` }
}
