import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOB_SDP, CallRig } from '../../test/support/call-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const BOB = { address: '198.51.100.8', port: 31_000, payloads: [0, 101] }
const ALLOW_UPDATE = { name: 'Allow', value: 'INVITE, ACK, BYE, CANCEL, UPDATE, PRACK' }
const RELIABLY = [{ name: 'Require', value: '100rel' }, { name: 'RSeq', value: '1' }, ALLOW_UPDATE]
const CALLER = [{ name: 'Max-Forwards', value: '70' }, { name: 'Supported', value: '100rel' }, ALLOW_UPDATE]

/** Early media whose offer and answer are settled on both sides, with PRACK. */
function early(callee = RELIABLY, caller = CALLER): { rig: CallRig; invite: string } {
  const rig = new CallRig()
  const invite = rig.offer({ headers: caller })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP, headers: callee })
  const told = rig.responses.at(-1)?.response
  assert.equal(told?.status, 183)
  if (told?.headers.has('RSeq') === true) {
    const rack = `${told.headers.get('RSeq')} ${told.headers.get('CSeq')}`
    rig.request('a', 'PRACK', { headers: [{ name: 'RAck', value: rack }] })
  }
  return { rig, invite }
}

test('RFC 3311: a new offer of the caller before the answer is asked of the callee in UPDATE, and answered', () => {
  const { rig, invite } = early()
  const key = rig.request('a', 'UPDATE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  const relayed = rig.sent('b1', 'UPDATE')
  assert.match(relayed.request.body, /a=sendonly/)
  assert.deepEqual(rig.statuses(key), [])
  rig.answer(relayed.key, 200, { sdp: phoneSdp({ ...BOB, version: 2, direction: 'recvonly' }) })
  assert.match(rig.final(key).body, /a=recvonly/)
  rig.answer(rig.sent('b1').key, 200)
  assert.equal(rig.final(invite).body, '')
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 3311: a new offer of the callee before its answer is asked of the caller in UPDATE, and answered', () => {
  const { rig, invite } = early()
  const key = rig.request('b1', 'UPDATE', { sdp: phoneSdp({ ...BOB, version: 2, direction: 'inactive' }) })
  const relayed = rig.sent('a', 'UPDATE')
  assert.match(relayed.request.body, /a=inactive/)
  rig.answer(relayed.key, 200, { sdp: phoneSdp({ version: 2, direction: 'inactive' }) })
  assert.match(rig.final(key).body, /a=inactive/)
  rig.answer(rig.sent('b1').key, 200)
  assert.equal(rig.final(invite).status, 200)
})

test('a callee that takes no UPDATE is not asked: we answer within what is agreed', () => {
  const { rig } = early([
    { name: 'Require', value: '100rel' },
    { name: 'RSeq', value: '1' },
  ])
  const key = rig.request('a', 'UPDATE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  assert.match(rig.final(key).body, /m=audio 40\d\d\d RTP\/AVP 0 101\r\n[\s\S]*a=recvonly/)
  assert.equal(rig.requests.filter(({ request }) => request.method === 'UPDATE').length, 0)
})

test('a caller without 100rel is not asked for what the callee offers early; we answer', () => {
  const { rig, invite } = early(RELIABLY, [{ name: 'Max-Forwards', value: '70' }])
  const key = rig.request('b1', 'UPDATE', { sdp: phoneSdp({ ...BOB, version: 2, direction: 'sendonly' }) })
  assert.match(rig.final(key).body, /a=recvonly/)
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, version: 3 }) })
  assert.match(rig.final(invite).body, /m=audio/)
})

test('RFC 3311 §5.2: before there is an answer, a new offer gets 500 and a time to try again', () => {
  const rig = new CallRig()
  rig.offer({ headers: CALLER })
  rig.answer(rig.sent('b1').key, 180)
  for (const leg of ['a', 'b1'] as const) {
    const key = rig.request(leg, 'UPDATE', { sdp: phoneSdp({ version: 2 }) })
    assert.equal(rig.final(key).status, 500)
    assert.match(rig.final(key).headers.get('Retry-After') ?? '', /^\d$/)
  }
})

test('RFC 3311 §5.2: offers that cross get 491, a second one of the same side 500', () => {
  const { rig } = early()
  rig.request('a', 'UPDATE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  const second = rig.request('a', 'UPDATE', { sdp: phoneSdp({ version: 3, direction: 'inactive' }) })
  const crossing = rig.request('b1', 'UPDATE', { sdp: phoneSdp({ ...BOB, version: 2, direction: 'sendonly' }) })
  assert.deepEqual([rig.final(second).status, rig.final(crossing).status], [500, 491])
})

for (const status of [488, 491, 481, 408]) {
  test(`an early UPDATE that is refused with ${status} is refused to who asked, and the ringing goes on`, () => {
    const { rig, invite } = early()
    const key = rig.request('a', 'UPDATE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
    rig.answer(rig.sent('b1', 'UPDATE').key, status)
    assert.ok(rig.final(key).status >= 400)
    rig.answer(rig.sent('b1').key, 200)
    assert.equal(rig.final(invite).status, 200)
  })
}

test('the branch that is asked fails: who asked gets its answer, and the call its own', () => {
  const { rig, invite } = early()
  const key = rig.request('a', 'UPDATE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  rig.answer(rig.sent('b1').key, 486)
  assert.ok(rig.final(key).status >= 400)
  assert.equal(rig.final(invite).status, 486)
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
})

test('an early UPDATE without SDP is answered, and tells where the peer is now', () => {
  const { rig } = early()
  assert.equal(rig.final(rig.request('a', 'UPDATE')).status, 200)
  assert.equal(rig.state.legs.a?.dialog?.remoteTarget, 'sip:a@198.51.100.7:5090')
})

test('RFC 3261 §14.2: a re-INVITE before the first INVITE is answered gets 500 and a time to try again', () => {
  const { rig } = early()
  const key = rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  assert.equal(rig.final(key).status, 500)
  assert.ok(rig.final(key).headers.has('Retry-After'))
})
