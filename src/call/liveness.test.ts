import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertEnded, BOB_SDP, CallRig, destination, ring, TWO_TARGETS } from '../../test/support/call-rig.ts'

test('who listens to the echo may do so for longer than a phone may ring', () => {
  const rig = new CallRig()
  rig.offer({ decision: { kind: 'builtin', builtin: 'echo' } })
  rig.ack('a')
  rig.pass(120_000)
  assert.equal(rig.state.phase, 'talking')
})

test('a trunk that cannot be reached by what it says does not keep the other side in the call', () => {
  const rig = new CallRig()
  rig.offer({
    caller: { kind: 'trunk', tenant: 'example.test', trunk: 'carrier' },
    decision: ring([destination('bob', '198.51.100.8')]),
    headers: [
      { name: 'Max-Forwards', value: '70' },
      { name: 'Record-Route', value: '<sip:198.51.100.9;transport=sctp;lr>' },
    ],
  })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  rig.event({ kind: 'end', reason: 'test' })
  assert.equal(rig.sent('b1', 'BYE').request.method, 'BYE')
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'operator' })
})

test('a callee that answers from where nobody can be reached is not connected: 502 to the caller', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_TARGETS })
  const { key } = rig.sent('b1')
  rig.answer(key, 200, { sdp: BOB_SDP, headers: [{ name: 'Record-Route', value: '<sip:p.test;transport=sctp;lr>' }] })
  assert.deepEqual(rig.statuses(invite), [502])
  rig.settle()
  assertEnded(rig, { status: 502, endedBy: 'error' })
})

test('a call that is given up, for its peer never answers, closes its media session once', () => {
  const rig = new CallRig()
  rig.offer()
  rig.pass(400_000)
  assert.equal(rig.state.phase, 'ended')
  assert.equal(rig.effectsOf('media-close').length, 1)
})
