import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertEnded, BOB_SDP, CallRig, destination, ring, TWO_TARGETS } from '../../test/support/call-rig.ts'

const TWO_PHONES = ring([destination('bob', '198.51.100.8'), destination('bob', '198.51.100.10')])

test('the first of two phones gets the call, the other one is told where it went', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 180)
  rig.answer(rig.sent('b2').key, 180)
  rig.answer(rig.sent('b2').key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [180, 200])
  assert.deepEqual(rig.effectsOf('cancel'), [
    {
      kind: 'cancel',
      key: rig.sent('b1').key,
      headers: [{ name: 'Reason', value: 'SIP;cause=200;text="Call completed elsewhere"' }],
    },
  ])
  rig.answer(rig.sent('b1').key, 487)
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
  assert.ok(rig.changes.some((change) => change.kind === 'drop-side' && change.side === 'b1'))
})

test('RFC 3261 §9.1: an answer that crosses our CANCEL is acknowledged and hung up', () => {
  const rig = new CallRig()
  rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b2').key, 200, { sdp: BOB_SDP })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  assert.equal(rig.effectsOf('ack').filter(({ leg }) => leg === 'b1').length, 1)
  rig.answer(rig.sent('b1', 'BYE').key, 200)
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
})

test('a second answer from behind the same branch is acknowledged and hung up', () => {
  const rig = new CallRig()
  rig.offer()
  const { key } = rig.sent('b1')
  rig.answer(key, 200, { sdp: BOB_SDP, tag: 'first' })
  rig.answer(key, 200, { sdp: BOB_SDP, tag: 'second' })
  assert.deepEqual(
    rig.effectsOf('ack').map(({ ack }) => ack.headers.toTag),
    ['first', 'second'],
  )
  assert.equal(rig.sent('b1', 'BYE').request.headers.toTag, 'second')
})

test('all phones refuse: the best answer of RFC 3261 §16.7 goes to the caller', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 503)
  assert.deepEqual(rig.statuses(invite), [])
  rig.answer(rig.sent('b2').key, 486)
  assert.deepEqual(rig.statuses(invite), [486])
})

test('a 6xx ends the ringing everywhere', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 603)
  assert.deepEqual(rig.statuses(invite), [603])
  assert.equal(rig.effectsOf('cancel').length, 1)
  rig.answer(rig.sent('b2').key, 487)
  assertEnded(rig, { status: 603, endedBy: 'callee' })
})

test('a target of a trunk that fails is followed by the next, with a media side of its own', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_TARGETS })
  rig.answer(rig.sent('b1').key, 503)
  assert.ok(rig.changes.some((change) => change.kind === 'add-side' && change.side.id === 'b2'))
  rig.answer(rig.sent('b2').key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [200])
})

test('a target that is silent or unreachable is followed by the next', () => {
  for (const cause of ['timeout', 'transport'] as const) {
    const rig = new CallRig()
    rig.offer({ decision: TWO_TARGETS })
    rig.event({ kind: 'failed', key: rig.sent('b1').key, cause, detail: 'gone' })
    assert.equal(rig.sent('b2').request.headers.callId === rig.sent('b1').request.headers.callId, false)
  }
})

test('one phone that cannot be reached is unavailable, not our service', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.event({ kind: 'failed', key: rig.sent('b1').key, cause: 'transport', detail: 'ECONNREFUSED' })
  assert.deepEqual(rig.statuses(invite), [480])
})

test('a refusal of a trunk is final: no other target is tried', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_TARGETS })
  rig.answer(rig.sent('b1').key, 404)
  assert.deepEqual(rig.statuses(invite), [404])
  assertEnded(rig, { status: 404, endedBy: 'callee' })
})
