import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, seededIds } from '../../base/index.ts'
import { createRequest, replyTo } from '../message/create.ts'
import type { SipResponse } from '../message/model.ts'
import { answerChallenge, parseChallenges } from './client.ts'
import type { DigestAlgorithm, DigestHash } from './model.ts'
import { createNonces, type Nonces } from './nonces.ts'
import { createChallenge, parseAuthorization, verifyDigest } from './server.ts'

const hash: DigestHash = (algorithm, data) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(data, 'latin1')
    .digest('hex')

function challenged(...values: readonly string[]): SipResponse {
  const request = createRequest({ method: 'REGISTER', uri: 'sip:example.test', headers: [] })
  return replyTo(request, 401, { headers: values.map((value) => ({ name: 'WWW-Authenticate', value })) })
}

describe('RFC 7616: a challenge of ours answered by our client', () => {
  for (const algorithm of ['MD5', 'SHA-256'] as const) {
    const [challenge] = parseChallenges(challenged(createChallenge({ realm: 'Zürich', nonce: 'n', algorithm })))
    assert.ok(challenge)
    const { name, value } = answerChallenge({
      challenge,
      method: 'REGISTER',
      uri: 'sip:example.test',
      username: 'jäsøn "j"',
      password: 'päss',
      cnonce: 'c',
      nonceCount: 10,
      hash,
    })
    const authorization = parseAuthorization(value)

    test(`${algorithm}: the right password is right, any other thing is wrong`, () => {
      assert.equal(name, 'Authorization')
      assert.ok(authorization)
      const proof = { authorization, method: 'REGISTER', uri: 'sip:example.test', password: 'päss', hash }
      assert.equal(verifyDigest(proof), true)
      assert.equal(verifyDigest({ ...proof, password: 'pass' }), false)
      assert.equal(verifyDigest({ ...proof, method: 'INVITE' }), false)
      assert.equal(verifyDigest({ ...proof, uri: 'sip:other.test' }), false)
      assert.equal(verifyDigest({ ...proof, uri: 'sip:EXAMPLE.test' }), true)
      assert.equal(verifyDigest({ ...proof, authorization: { ...authorization, nonce: 'm' } }), false)
      assert.equal(verifyDigest({ ...proof, authorization: { ...authorization, response: '' } }), false)
      assert.equal(verifyDigest({ ...proof, authorization: { ...authorization, algorithm: 'FOO' } }), false)
      assert.equal(verifyDigest({ ...proof, authorization: { ...authorization, qop: 'none' } }), false)
      assert.equal(authorization.username, encodeUtf8('jäsøn "j"'))
      assert.equal(authorization.nonceCount, 10)
    })
  }
})

describe('RFC 8760 §2.4: challenges as they come', () => {
  test('in their order, without those we cannot answer', () => {
    const challenges = parseChallenges(
      challenged(
        'Digest realm="r", nonce="1", algorithm=SHA-512-256, qop="auth"',
        'Basic realm="r"',
        'digest realm="r", nonce="2", algorithm=SHA-256, qop="auth,auth-int", opaque="o"',
        'Digest nonce="3"',
        'Digest realm="r", nonce="4", stale=TRUE',
        'Digest realm="r", nonce="5", qop="token"',
        'Digest realm="r, nonce=6',
      ),
    )
    assert.deepEqual(
      challenges.map(({ nonce, algorithm, stale, qop, opaque }) => ({ nonce, algorithm, stale, qop, opaque })),
      [
        { nonce: '2', algorithm: 'SHA-256', stale: false, qop: ['auth', 'auth-int'], opaque: 'o' },
        { nonce: '4', algorithm: 'MD5', stale: true, qop: [], opaque: undefined },
      ],
    )
  })
})

describe('credentials that are refused as malformed', () => {
  const good = 'Digest username="a", realm="r", nonce="n", uri="sip:x", response="0"'
  const bad = [
    'Digest username="a", realm="r", nonce="n", uri="sip:x"',
    `${good}, nc=1, cnonce="c", qop=auth`,
    `${good}, qop=auth`,
    `${good}, realm="s"`,
    `${good}, =x`,
    `${good}, x="y`,
    `${good}, ${Array.from({ length: 40 }, (_, i) => `x${i}=y`).join(', ')}`,
    'Digest x',
  ]
  test('one that is fine, with the qop quoted as some phones do', () => {
    assert.equal(parseAuthorization(`${good}, nc=0000000A, cnonce="c", qop="auth"`)?.nonceCount, 10)
  })
  test('other schemes are none of ours', () => assert.equal(parseAuthorization('Bearer abc'), undefined))
  for (const value of bad) {
    test(value.slice(0, 100), () => assert.throws(() => parseAuthorization(value), { code: 'SIP_AUTH_MALFORMED' }))
  }
})

describe('nonces', () => {
  const make = (remembered = 100, secret = 's'): Nonces =>
    createNonces({
      secretHash: (text) => createHmac('sha256', secret).update(text).digest('hex'),
      ids: seededIds(1),
      lifetimeMs: 1_000,
      remembered,
    })

  test('each count once, within the lifetime', () => {
    const nonces = make()
    const nonce = nonces.issue(5_000)
    assert.deepEqual(
      [1, 2, 2, 5, 4, 4, 40, 5].map((count) => nonces.check(nonce, count, 5_500)),
      ['ok', 'ok', 'stale', 'ok', 'ok', 'stale', 'ok', 'stale'],
    )
    assert.equal(nonces.check(nonce, 41, 6_001), 'stale')
    assert.equal(nonces.check(nonce, 0, 5_500), 'stale')
  })

  test('clients that do not count (RFC 2069) use a nonce once: whoever saw it used cannot use it again', () => {
    const nonces = make()
    const nonce = nonces.issue(0)
    assert.deepEqual([nonces.check(nonce, undefined, 1), nonces.check(nonce, undefined, 2)], ['ok', 'stale'])
    const counted = nonces.issue(0)
    assert.deepEqual([nonces.check(counted, 7, 1), nonces.check(counted, undefined, 2)], ['ok', 'stale'])
  })

  test('a nonce that others made, or that was changed, is unknown', () => {
    const nonces = make()
    const nonce = nonces.issue(0)
    for (const other of ['', '.', 'a.b.c', `1${nonce}`, make(1, 'other').issue(0)]) {
      assert.equal(nonces.check(other, 1, 1), 'unknown', other)
    }
  })

  test('what had to be forgotten turns stale, never fresh', () => {
    const nonces = make(2)
    const issued = [0, 1, 2, 3].map((at) => nonces.issue(at))
    for (const nonce of issued) assert.equal(nonces.check(nonce, 1, 10), 'ok')
    assert.deepEqual(
      issued.map((nonce) => nonces.check(nonce, 1, 11)),
      ['stale', 'stale', 'stale', 'stale'],
    )
    assert.equal(nonces.check(nonces.issue(12), 1, 12), 'ok')
  })

  test('law: no count is ever accepted twice', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 })), (counts) => {
        const nonces = make()
        const nonce = nonces.issue(0)
        const accepted = counts.filter((count) => nonces.check(nonce, count, 1) === 'ok')
        assert.equal(new Set(accepted).size, accepted.length)
      }),
    )
  })
})

test('law: whatever is offered as credentials is read or refused, nothing else', () => {
  const piece = fc.oneof(
    fc.constantFrom('Digest ', 'realm=', '"', '\\', ',', '=', 'nc=', ' '),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const value = pieces.join('')
      parseChallenges(challenged(value))
      try {
        parseAuthorization(value)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'SIP_AUTH_MALFORMED')
      }
    }),
  )
})

test('both algorithms are what their names say', () => {
  const algorithms: readonly DigestAlgorithm[] = ['MD5', 'SHA-256']
  assert.deepEqual(
    algorithms.map((algorithm) => hash(algorithm, '').length),
    [32, 64],
  )
})
