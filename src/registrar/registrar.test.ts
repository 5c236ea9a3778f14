import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRequest, type Flow, type HeaderField } from '../sip/index.ts'
import { Registrar } from './index.ts'

const flow = (id: string, transport: Flow['transport'] = 'ws'): Flow => ({
  id,
  transport,
  local: { host: '192.0.2.1', port: 5060 },
  remote: { host: '192.0.2.9', port: 4000 },
})
const WHO = { tenant: 'one.test', user: 'alice' }
const PHONE = flow('udp:1', 'udp')
const BROWSER = flow('ws:1')

interface Parts {
  readonly contacts?: readonly string[]
  readonly expires?: number
  readonly callId?: string
  readonly sequence?: number
}

function register({ contacts = [], expires, callId = 'call-1', sequence = 1 }: Parts) {
  const headers: HeaderField[] = [
    { name: 'Via', value: 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1' },
    { name: 'From', value: '<sip:alice@one.test>;tag=1' },
    { name: 'To', value: '<sip:alice@one.test>' },
    { name: 'Call-ID', value: callId },
    { name: 'CSeq', value: `${sequence} REGISTER` },
    ...contacts.map((value) => ({ name: 'Contact', value })),
    ...(expires === undefined ? [] : [{ name: 'Expires', value: String(expires) }]),
  ]
  return createRequest({ method: 'REGISTER', uri: 'sip:one.test', headers })
}

const uris = (registrar: Registrar, now: number): string[] =>
  registrar.contacts('one.test', 'alice', now).map((contact) => contact.uri)

test('a contact is reachable until it expires, and told back with its time', () => {
  const registrar = new Registrar()
  const result = registrar.register(register({ contacts: ['<sip:a@x>'], expires: 60 }), PHONE, WHO, 0)
  assert.deepEqual(result, { status: 200, headers: [{ name: 'Contact', value: '<sip:a@x>;expires=60' }] })
  assert.deepEqual(uris(registrar, 59_999), ['sip:a@x'])
  assert.deepEqual(uris(registrar, 60_000), [])
  assert.equal(registrar.deadline(), 60_000)
  registrar.expire(60_000)
  assert.equal(registrar.count, 0)
})

test('several contacts ring, the preferred first; each keeps the way it came', () => {
  const registrar = new Registrar()
  registrar.register(register({ contacts: ['<sip:a@x>;q=0.1'] }), PHONE, WHO, 0)
  registrar.register(register({ contacts: ['<sip:a@invalid;transport=ws>'], callId: 'call-2' }), BROWSER, WHO, 0)
  const reached = registrar.contacts('one.test', 'alice', 1)
  assert.deepEqual(
    reached.map(({ profile, target }) => [profile, target.kind === 'flow' && target.flow.id]),
    [
      ['webrtc', 'ws:1'],
      ['rtp', 'udp:1'],
    ],
  )
})

const refused: readonly (readonly [why: string, parts: Parts, status: number])[] = [
  ['a time below the least', { contacts: ['<sip:b@x>'], expires: 5, sequence: 2 }, 423],
  ['an older CSeq of the same Call-ID', { contacts: ['<sip:a@x>'], sequence: 1 }, 500],
  ['too many contacts', { contacts: ['<sip:b@x>', '<sip:c@x>', '<sip:d@x>'], sequence: 2 }, 403],
]

for (const [why, parts, status] of refused) {
  test(`${why} is answered ${status} and changes nothing`, () => {
    const registrar = new Registrar({ contactsPerUser: 3 })
    registrar.register(register({ contacts: ['<sip:a@x>'] }), PHONE, WHO, 0)
    assert.equal(registrar.register(register(parts), PHONE, WHO, 1).status, status)
    assert.deepEqual(uris(registrar, 2), ['sip:a@x'])
  })
}

test('the platform is full: 503', () => {
  const registrar = new Registrar({ registrations: 1 })
  registrar.register(register({ contacts: ['<sip:a@x>'] }), PHONE, WHO, 0)
  const other = { tenant: 'one.test', user: 'bob' }
  assert.equal(registrar.register(register({ contacts: ['<sip:b@x>'], callId: 'b' }), PHONE, other, 0).status, 503)
})

test('Contact: * with Expires: 0 removes all; with another time it is refused', () => {
  const registrar = new Registrar()
  registrar.register(register({ contacts: ['<sip:a@x>', '<sip:b@x>'] }), PHONE, WHO, 0)
  assert.throws(() => registrar.register(register({ contacts: ['*'], expires: 60, sequence: 2 }), PHONE, WHO, 1), {
    code: 'SIP_MALFORMED_MESSAGE',
  })
  assert.equal(uris(registrar, 2).length, 2)
  registrar.register(register({ contacts: ['*'], expires: 0, sequence: 2 }), PHONE, WHO, 1)
  assert.deepEqual(uris(registrar, 2), [])
})

test('a device that registers from a new network takes its old place (RFC 5626)', () => {
  const registrar = new Registrar()
  const instance = '+sip.instance="<urn:uuid:1>"'
  registrar.register(register({ contacts: [`<sip:old@x>;${instance};reg-id=1`] }), BROWSER, WHO, 0)
  registrar.register(
    register({ contacts: [`<sip:new@x>;${instance};reg-id=1`], callId: 'other' }),
    flow('ws:2'),
    WHO,
    1,
  )
  assert.deepEqual(uris(registrar, 2), ['sip:new@x'])
})

test('a contact whose WebSocket closed is not rung, and is gone after the grace time', () => {
  const registrar = new Registrar({ graceMs: 10_000 })
  registrar.register(register({ contacts: ['<sip:a@x>'] }), BROWSER, WHO, 0)
  registrar.flowClosed('ws:1', 1_000)
  assert.deepEqual(uris(registrar, 1_001), [])
  assert.equal(registrar.list(10_999).length, 1)
  assert.equal(registrar.list(11_000).length, 0)
})

test('a browser that comes back within the grace time is reachable again', () => {
  const registrar = new Registrar({ graceMs: 10_000 })
  registrar.register(register({ contacts: ['<sip:a@x>'] }), BROWSER, WHO, 0)
  registrar.flowClosed('ws:1', 1_000)
  registrar.register(register({ contacts: ['<sip:a@x>'], sequence: 2 }), flow('ws:2'), WHO, 5_000)
  registrar.expire(11_000)
  assert.deepEqual(uris(registrar, 11_000), ['sip:a@x'])
})

test('law: whatever registers and closes, bounds hold and nothing is listed past its end', () => {
  const step = fc.record({
    contact: fc.integer({ min: 0, max: 6 }),
    expires: fc.constantFrom(0, 30, 60, 7_200),
    socket: fc.integer({ min: 0, max: 3 }),
    closes: fc.boolean(),
    afterMs: fc.integer({ min: 0, max: 40_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const registrar = new Registrar({ contactsPerUser: 4 })
      let now = 0
      let sequence = 0
      for (const { contact, expires, socket, closes, afterMs } of steps) {
        now += afterMs
        if (closes) registrar.flowClosed(`ws:${socket}`, now)
        else
          registrar.register(
            register({ contacts: [`<sip:${contact}@x>`], expires, sequence: ++sequence }),
            flow(`ws:${socket}`),
            WHO,
            now,
          )
        const listed = registrar.list(now)
        assert.ok(listed.length <= 4)
        assert.ok(listed.every((binding) => binding.expiresAt > now && (binding.goneAt ?? Infinity) > now))
        registrar.expire(now)
        assert.equal(registrar.count, listed.length)
      }
      registrar.expire(now + 8_000_000)
      assert.equal(registrar.count, 0)
      assert.equal(registrar.deadline(), undefined)
    }),
  )
})
