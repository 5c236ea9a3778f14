import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exampleTenant } from '../../test/support/core-rig.ts'
import { seededIds } from '../base/index.ts'
import { answerChallenge, createRequest, createResponse, type Flow, parseChallenges } from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import { digestHash } from './hash.ts'
import { UserAuth } from './user-auth.ts'

const FLOW: Flow = {
  id: 'udp',
  transport: 'udp',
  local: { host: '192.0.2.1', port: 5060 },
  remote: { host: '198.51.100.7', port: 5060 },
}

interface Answer {
  readonly algorithm?: 'MD5' | 'SHA-256'
  /** What the digest covers; default: the Request-URI. */
  readonly covers?: string
  readonly counts?: boolean
}

/** A client that knows Alice's password and answers one challenge as told; gives the verdicts on its requests. */
function verdicts(tenant: Tenant, { algorithm, covers, counts = true }: Answer, times = 1): readonly string[] {
  const auth = new UserAuth({ hash: digestHash, ids: seededIds(3) })
  const about = { tenant, role: 'proxy' } as const
  const uri = 'sip:bob@example.test'
  const request = createRequest({ method: 'INVITE', uri, headers: [] })
  const asked = auth.check(request, FLOW, about, 0)
  assert.ok(asked.kind === 'challenge')
  const [challenge] = parseChallenges(createResponse({ status: 407, headers: asked.headers }))
  assert.ok(challenge !== undefined)
  const credentials = answerChallenge({
    challenge: { ...challenge, ...(algorithm && { algorithm }), ...(counts ? {} : { qop: [] }) },
    method: 'INVITE',
    uri: covers ?? uri,
    username: 'alice',
    password: 'wonderland',
    cnonce: 'c',
    nonceCount: 1,
    hash: digestHash,
  })
  const signed = createRequest({ method: 'INVITE', uri, headers: [credentials] })
  return Array.from({ length: times }, () => auth.check(signed, FLOW, about, 1).kind)
}

const strict: Tenant = { ...exampleTenant(), digest: ['SHA-256'] }

describe('digest of users', () => {
  test('an algorithm that was not offered is not taken: nobody between can have the weaker one answered', () => {
    assert.deepEqual(verdicts(strict, {}), ['user'])
    assert.deepEqual(verdicts(strict, { algorithm: 'MD5' }), ['challenge'])
    assert.deepEqual(verdicts(exampleTenant(), {}), ['user'])
    assert.deepEqual(verdicts(exampleTenant(), { algorithm: 'SHA-256' }), ['challenge'])
  })

  test('credentials that somebody copied are good once, with and without qop', () => {
    assert.deepEqual(verdicts(exampleTenant(), {}, 2), ['user', 'challenge'])
    assert.deepEqual(verdicts(exampleTenant(), { counts: false }, 2), ['user', 'challenge'])
  })

  for (const [covers, verdict] of [
    ['sip:bob@example.test', 'user'],
    ['sip:bob@EXAMPLE.test', 'user'],
    ['sip:example.test', 'user'],
    ['sip:carol@example.test', 'challenge'],
    ['tel:+15550100', 'challenge'],
    ['urn:service:sos', 'challenge'],
    ['bob', 'challenge'],
  ] as const) {
    test(`RFC 3261 §22.4: a digest of ${covers} for sip:bob@example.test: ${verdict}`, () => {
      assert.deepEqual(verdicts(exampleTenant(), { covers }), [verdict])
    })
  }
})
