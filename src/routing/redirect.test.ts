import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../base/index.ts'
import { createDirectory, type Tenant } from '../tenancy/index.ts'
import { type Contact, type Party, redirected } from './index.ts'

const tenant: Tenant = {
  domain: 'one.test',
  aliases: [],
  users: ['alice', 'bob'].map((name) => ({ name, password: new Secret('x') })),
  trunks: [
    { name: 'carrier', targets: ['sip:192.0.2.1:5080', 'sip:192.0.2.2'], accept: [], srtp: 'never' },
    { name: 'safe', targets: ['sip:192.0.2.4;transport=tls'], accept: [], srtp: 'never' },
    { name: 'firm', targets: ['sip:192.0.2.3'], accept: [], srtp: 'never', followRedirects: false },
  ],
  routes: [{ prefix: '+', trunk: 'carrier', strip: 0, prepend: '' }],
  numbers: [],
  limits: { concurrentCalls: 1, maxCallDurationMs: 1, ringTimeoutMs: 1 },
}
const other: Tenant = { ...tenant, domain: 'two.test', trunks: [], routes: [] }

const target = { kind: 'address', transport: 'udp', to: { host: '192.0.2.9', port: 5060 } } as const
const phone = (uri: string): Contact => ({ uri, target, profile: 'rtp', path: [] })

const bob: Party = { kind: 'user', tenant: 'one.test', user: 'bob' }
const carrier: Party = { kind: 'trunk', tenant: 'one.test', trunk: 'carrier' }
const safe: Party = { kind: 'trunk', tenant: 'one.test', trunk: 'safe' }
const firm: Party = { kind: 'trunk', tenant: 'one.test', trunk: 'firm' }

const follow = (party: Party, contact: string, of = tenant): readonly string[] =>
  redirected({
    directory: createDirectory([of, other], ['198.51.100.1']),
    tenant: of,
    party,
    contacts: [contact],
    contactsOf: (_, name) => (name === 'alice' ? [phone('sip:alice@a')] : []),
  }).map(({ uri }) => uri)

for (const [what, party, contact, expected] of [
  ['a phone to a colleague', bob, 'sip:alice@one.test', ['sip:alice@a']],
  ['a phone to a colleague at our address', bob, 'sip:alice@198.51.100.1', ['sip:alice@a']],
  ['a phone to a number its user may call', bob, 'sip:+15550100@one.test', ['sip:+15550100@192.0.2.1:5080']],
  ['a phone to a user of another tenant', bob, 'sip:alice@two.test', []],
  ['a phone to a foreign host', bob, 'sip:+15550100@203.0.113.9', []],
  ['a phone to a number nobody here reaches', bob, 'sip:900@one.test', []],
  ['a phone to a web page', bob, 'https://one.test/', []],
  ['a trunk to another machine of its own', carrier, 'sip:+15550100@192.0.2.2:5070', ['sip:+15550100@192.0.2.2:5070']],
  ['a trunk to a foreign host', carrier, 'sip:+15550100@203.0.113.9', []],
  ['a trunk to a user of ours', carrier, 'sip:alice@one.test', []],
  ['a trunk to the machine of another trunk', carrier, 'sip:+15550100@192.0.2.3', []],
  ['a trunk over TLS out of TLS', safe, 'sip:+15550100@192.0.2.4', []],
  ['a trunk whose redirections are off', firm, 'sip:+15550100@192.0.2.3', []],
  ['a trunk to something that cannot be read', carrier, 'sip:@@', []],
] as const) {
  test(`RFC 3261 §8.1.3.4: a 3xx leads ${what}: ${expected.join() || 'nowhere'}`, () => {
    assert.deepEqual(follow(party, contact), expected)
  })
}

test('a tenant may forbid its phones to forward', () => {
  assert.deepEqual(follow(bob, 'sip:alice@one.test', { ...tenant, followRedirects: false }), [])
})

test('headers that a contact would have us send are left out', () => {
  assert.deepEqual(follow(carrier, 'sip:+1@192.0.2.2?Route=%3Csip:x%3E'), ['sip:+1@192.0.2.2'])
})
