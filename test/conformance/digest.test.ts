import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { encodeUtf8 } from '../../src/base/index.ts'
import { algorithmOf, digestResponse } from '../../src/sip/auth/digest.ts'
import { type DigestHash, parseAuthorization, verifyDigest } from '../../src/sip/index.ts'
import { corpusFile } from '../support/corpora.ts'

interface Vector {
  readonly name: string
  readonly source: string
  readonly algorithm: string
  readonly username: string
  readonly realm: string
  readonly password: string
  readonly method: string
  readonly uri: string
  readonly nonce: string
  readonly nc: string | null
  readonly cnonce: string | null
  readonly qop: string | null
  readonly body: string | null
  readonly response: string
}

/** SHA-512-256 is in no SIP peer that could be found; a challenge that has it is passed over (RFC 8760 §2.4). */
const NOT_DONE = /^SHA-512-256/

const hash: DigestHash = (algorithm, data) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(data, 'latin1')
    .digest('hex')

const vectors = corpusFile<{ vectors: readonly Vector[] }>('digest', 'digest.json')?.vectors ?? []

for (const vector of vectors) {
  describe(`${vector.name}, ${vector.source}`, () => {
    const algorithm = algorithmOf(vector.algorithm)
    if (NOT_DONE.test(vector.algorithm)) {
      test('its algorithm is not known, which is said', () => {
        assert.equal(algorithm, undefined)
        assert.equal(verify(vector), false)
      })
      return
    }
    assert.ok(algorithm)
    const { qop, nc, cnonce } = vector

    test('the response', () => {
      const response = digestResponse(
        {
          ...algorithm,
          username: encodeUtf8(vector.username),
          realm: encodeUtf8(vector.realm),
          password: vector.password,
          method: vector.method,
          uri: vector.uri,
          nonce: vector.nonce,
          ...(qop === null ? {} : { protection: { qop, nc: nc ?? '', cnonce: cnonce ?? '' } }),
          cnonce: cnonce ?? undefined,
          body: vector.body ?? undefined,
        },
        hash,
      )
      assert.equal(response, vector.response)
    })

    test('credentials that carry it are right, and wrong with another password', () => {
      assert.equal(verify(vector), true)
      assert.equal(verify({ ...vector, password: `${vector.password}x` }), false)
    })
  })
}

function verify(vector: Vector): boolean {
  const { qop, nc, cnonce } = vector
  const fields = [
    `username="${encodeUtf8(vector.username)}"`,
    `realm="${encodeUtf8(vector.realm)}"`,
    `nonce="${vector.nonce}"`,
    `uri="${vector.uri}"`,
    `response="${vector.response}"`,
    `algorithm=${vector.algorithm}`,
    ...(qop === null ? [] : [`qop=${qop}`, `nc=${nc}`, `cnonce="${cnonce}"`]),
  ]
  const authorization = parseAuthorization(`Digest ${fields.join(', ')}`)
  assert.ok(authorization)
  return verifyDigest({
    authorization,
    method: vector.method,
    password: vector.password,
    hash,
    body: vector.body ?? undefined,
  })
}
