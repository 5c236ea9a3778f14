import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOB_SDP, CallRig, destination, ring, talkingRig } from '../../test/support/call-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const BOB = { address: '198.51.100.8', port: 31_000, payloads: [0, 101] }
const CARRIER = { kind: 'trunk', tenant: 'example.test', trunk: 'carrier' } as const

test('who is held by a=inactive does not hold itself: a re-INVITE without SDP resumes', () => {
  const { rig } = talkingRig()
  rig.request('b1', 'INVITE', { sdp: phoneSdp({ ...BOB, version: 2, direction: 'inactive' }) })
  rig.answer(rig.sent('a').key, 200, { sdp: phoneSdp({ version: 2, direction: 'inactive' }) })
  rig.ack('b1')
  assert.deepEqual([rig.state.legs.a?.holds, rig.state.legs.b1?.holds], [false, true])
  const resume = rig.request('b1', 'INVITE')
  assert.match(rig.final(resume).body, /a=sendrecv/)
})

test('who holds and is held too still holds when the other comes back', () => {
  const { rig } = talkingRig()
  rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, version: 2, direction: 'recvonly' }) })
  rig.ack('a')
  assert.deepEqual([rig.state.legs.a?.holds, rig.state.legs.b1?.holds], [true, false])
  rig.request('b1', 'INVITE', { sdp: phoneSdp({ ...BOB, version: 3, direction: 'inactive' }) })
  rig.answer(rig.sent('a').key, 200, { sdp: phoneSdp({ version: 3, direction: 'inactive' }) })
  rig.ack('b1')
  assert.deepEqual([rig.state.legs.a?.holds, rig.state.legs.b1?.holds], [true, true])
})

test('a call that ends cancels the re-INVITE that is not answered yet: nothing waits for it for ever', () => {
  const { rig } = talkingRig()
  rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  const { key } = rig.sent('b1')
  rig.answer(key, 100)
  rig.request('a', 'BYE')
  assert.deepEqual(
    rig.effectsOf('cancel').map((cancel) => cancel.key),
    [key],
  )
})

test('a 200 that crosses the CANCEL of a re-INVITE: the peer is brought back to what the other side has', () => {
  const { rig } = talkingRig()
  const hold = rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  const { key } = rig.sent('b1')
  rig.event({ kind: 'cancelled', key: hold, request: rig.fromCaller('CANCEL') })
  rig.answer(key, 200, { sdp: phoneSdp({ ...BOB, version: 2, direction: 'recvonly' }) })
  rig.pass(5_000)
  assert.notEqual(rig.sent('b1').key, key)
  assert.match(rig.sent('b1').request.body, /a=sendrecv/)
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, version: 3 }) })
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 3261 §14.1: what meets glare is not repeated when its side has asked for something newer', () => {
  const rig = new CallRig()
  rig.offer({ sdp: '' })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, payloads: [0, 8, 101] }) })
  rig.ack('a', phoneSdp({ payloads: [8, 101] }))
  rig.answer(rig.sent('b1').key, 491)
  rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 2, payloads: [8, 101], direction: 'sendonly' }) })
  rig.answer(rig.sent('b1').key, 200, {
    sdp: phoneSdp({ ...BOB, payloads: [8, 101], version: 2, direction: 'recvonly' }),
  })
  rig.ack('a')
  const { key } = rig.sent('b1')
  rig.pass(10_000)
  assert.equal(rig.sent('b1').key, key)
})

test('an offer that waits for its next try lets an open exchange with the peer end first', () => {
  const rig = new CallRig()
  rig.offer({ sdp: '' })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, payloads: [0, 8, 101] }) })
  rig.ack('a', phoneSdp({ payloads: [8, 101] }))
  const { key } = rig.sent('b1')
  rig.answer(key, 491)
  rig.request('b1', 'INVITE') // Wants our offer; its answer comes in the ACK.
  rig.pass(5_000)
  assert.equal(rig.sent('b1').key, key)
})

test('RFC 3261 §22.2: a challenged request that is sent again takes no number that was given meanwhile', () => {
  const rig = new CallRig()
  rig.offer({ decision: ring([destination('+1555', '198.51.100.20', CARRIER)]) })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  const { key } = rig.sent('b1')
  rig.request('a', 'INFO', { body: { type: 'application/dtmf-relay', content: 'Signal=5' } })
  const info = rig.sent('b1', 'INFO').request.headers.cseq.sequence
  rig.event({ kind: 'authorized', key, authorization: { name: 'Authorization', value: 'Digest x' } })
  assert.equal(rig.sent('b1').request.headers.cseq.sequence, info + 1)
  rig.request('a', 'INFO', { body: { type: 'application/dtmf-relay', content: 'Signal=6' } })
  assert.equal(rig.sent('b1', 'INFO').request.headers.cseq.sequence, info + 2)
})

const TIMER = [
  { name: 'Supported', value: 'timer' },
  { name: 'Session-Expires', value: '90' },
]

test('RFC 4028 §7.4: our re-INVITE keeps the session timer that its peer refreshes', () => {
  const rig = new CallRig()
  rig.offer({ headers: TIMER })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  rig.request('b1', 'INVITE', { sdp: phoneSdp({ ...BOB, version: 2, direction: 'sendonly' }) })
  const { headers } = rig.sent('a').request
  assert.equal(headers.get('Session-Expires'), '90;refresher=uas')
  assert.equal(headers.get('Supported'), 'timer')
  rig.pass(20_000)
  rig.answer(rig.sent('a').key, 200, {
    sdp: phoneSdp({ version: 2, direction: 'recvonly' }),
    headers: [{ name: 'Session-Expires', value: '90;refresher=uas' }],
  })
  rig.ack('b1')
  rig.pass(59_000)
  assert.equal(rig.state.phase, 'talking')
  rig.pass(1_000)
  assert.equal(rig.state.phase, 'ending')
})

test('RFC 4028 §7.2: a peer that answers our re-INVITE without a timer refreshes no more, and need not', () => {
  const rig = new CallRig()
  rig.offer({ headers: TIMER })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  rig.request('b1', 'INVITE', { sdp: phoneSdp({ ...BOB, version: 2, direction: 'sendonly' }) })
  rig.answer(rig.sent('a').key, 200, { sdp: phoneSdp({ version: 2, direction: 'recvonly' }) })
  rig.ack('b1')
  rig.pass(200_000)
  assert.equal(rig.state.phase, 'talking')
})
