import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertEnded, BOB_SDP, CallRig, destination, ring } from '../../test/support/call-rig.ts'
import type { Destination } from './model.ts'

const CARRIER = { kind: 'trunk', tenant: 'example.test', trunk: 'carrier' } as const
const at = (host: string): Destination => destination('+15550100', host, CARRIER)
const TRUNK = ring([at('198.51.100.8')])

/** The newest branch answers 302 with these contacts; routing says where they lead. */
function redirects(rig: CallRig, contacts: readonly string[], destinations: readonly Destination[]): void {
  const { key, leg } = rig.sent(`b${rig.state.counters.branch}`)
  const before = rig.effectsOf('redirect').length
  const headers = contacts.map((value) => ({ name: 'Contact', value }))
  rig.answer(key, 302, { headers, contact: false })
  if (rig.effectsOf('redirect').length === before) return
  rig.event({ kind: 'redirected', leg, status: 302, destinations })
}

test('RFC 3261 §8.1.3.4: the contacts of a 302 are asked of routing, best first, and called', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TRUNK })
  redirects(rig, ['<sip:1@198.51.100.9>;q=0.2', '<sip:2@198.51.100.10>;q=0.7'], [at('198.51.100.9')])
  const [asked] = rig.effectsOf('redirect')
  assert.deepEqual(asked?.contacts, ['sip:2@198.51.100.10', 'sip:1@198.51.100.9'])
  assert.deepEqual(asked?.party, CARRIER)
  assert.deepEqual(rig.statuses(invite), [])
  const second = rig.sent('b2')
  assert.equal(second.request.uri, 'sip:+15550100@198.51.100.9')
  rig.answer(second.key, 200, { sdp: BOB_SDP })
  assert.equal(rig.final(invite).status, 200)
  rig.ack('a')
  rig.request('a', 'BYE')
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'caller' })
})

test('a 302 that leads nowhere is a refusal: 480, and the caller is not shown where it led', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TRUNK })
  redirects(rig, ['<sip:1@203.0.113.99>'], [])
  assert.equal(rig.final(invite).status, 480)
  assert.equal(rig.final(invite).headers.has('Contact'), false)
  assertEnded(rig, { status: 480, endedBy: 'callee' })
})

test('a place that was called is not called again: a loop of redirections ends', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TRUNK })
  redirects(rig, ['<sip:1@198.51.100.9>'], [at('198.51.100.9')])
  redirects(rig, ['<sip:1@198.51.100.8>'], [at('198.51.100.8')])
  assert.equal(rig.final(invite).status, 480)
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
})

test('after five redirections a further one is a refusal', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TRUNK })
  for (let i = 1; i <= 6; i++) redirects(rig, [`<sip:1@198.51.100.${100 + i}>`], [at(`198.51.100.${100 + i}`)])
  assert.equal(rig.effectsOf('redirect').length, 5)
  assert.equal(rig.final(invite).status, 480)
})

for (const [what, contacts] of [
  ['no contact', []],
  ['a star', ['*']],
] as const) {
  test(`a 302 with ${what} is a refusal`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ decision: TRUNK })
    redirects(rig, contacts, [at('198.51.100.9')])
    assert.equal(rig.effectsOf('redirect').length, 0)
    assert.equal(rig.final(invite).status, 480)
  })
}

test('one of two phones is redirected: the other one goes on ringing', () => {
  const rig = new CallRig()
  const phones = ring([destination('bob', '198.51.100.8'), destination('bob', '198.51.100.10')])
  const invite = rig.offer({ decision: phones })
  rig.answer(rig.sent('b1').key, 180)
  redirects(rig, ['<sip:carol@example.test>'], [destination('carol', '198.51.100.11')])
  assert.equal(rig.sent('b3').request.uri, 'sip:carol@198.51.100.11')
  assert.equal(rig.effectsOf('cancel').length, 0)
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  assert.equal(rig.final(invite).status, 200)
  assert.deepEqual(
    rig.effectsOf('cancel').map(({ key }) => key),
    [rig.sent('b3').key],
  )
})

test('a caller that gave up meanwhile is not called for anywhere else', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TRUNK })
  rig.event({ kind: 'cancelled', key: invite, request: rig.fromCaller('CANCEL') })
  redirects(rig, ['<sip:1@198.51.100.9>'], [at('198.51.100.9')])
  assert.equal(rig.effectsOf('redirect').length, 0)
  assert.equal(rig.state.phase, 'ended')
})

test('RFC 3263: a domain that a trunk redirects to is located before it is called', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TRUNK })
  const target = { kind: 'address', transport: 'udp', to: { host: 'two.carrier.test', port: 5060 } } as const
  redirects(rig, ['<sip:1@two.carrier.test>'], [{ ...at('two.carrier.test'), target }])
  assert.deepEqual(rig.effectsOf('locate').at(-1)?.target.to.host, 'two.carrier.test')
  const found = { ...target, to: { host: '198.51.100.20', port: 5060 } }
  rig.event({ kind: 'located', targets: [{ target: found, avoided: false }] })
  const { key, request } = rig.sent('b2')
  assert.equal(request.uri, 'sip:+15550100@two.carrier.test')
  rig.answer(key, 200, { sdp: BOB_SDP })
  assert.equal(rig.final(invite).status, 200)
})
