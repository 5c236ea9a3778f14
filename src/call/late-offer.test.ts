import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertEnded, BOB_SDP, CallRig, destination, ring } from '../../test/support/call-rig.ts'
import { browserSdp, phoneSdp } from '../../test/support/sdp-texts.ts'

const LATE = ring([
  {
    ...destination('+15550100', '198.51.100.8', { kind: 'trunk', tenant: 'example.test', trunk: 'pbx' }),
    lateOffer: true,
  },
])
const PBX_OFFER = phoneSdp({ address: '198.51.100.8', port: 31_000, payloads: [9, 8, 0, 101] })

test('RFC 3261 §13.2.1: a trunk that wants to offer is invited without SDP and answered in the ACK', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: LATE })
  const { key, request } = rig.sent('b1')
  assert.equal(request.body, '')
  assert.equal(request.headers.values('Supported').includes('100rel'), false)
  rig.answer(key, 180)
  rig.answer(key, 200, { sdp: PBX_OFFER })
  const [ack] = rig.effectsOf('ack')
  assert.match(ack?.ack.body ?? '', /m=audio 40\d\d\d RTP\/AVP 0 8 101\r\n/, 'what the caller can and the PBX offers')
  assert.match(rig.final(invite).body, /m=audio 40\d\d\d RTP\/AVP [08 ]+ 101\r\n/)
  assert.deepEqual(rig.changes.at(-1), { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b1' } })
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
  rig.request('a', 'BYE')
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'caller' })
})

test('a browser is answered with what the trunk’s late offer has in common with it', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: LATE, sdp: browserSdp(), transport: 'ws' })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ address: '198.51.100.8', payloads: [8, 101] }) })
  const { body } = rig.final(invite)
  assert.match(body, /PCMA\/8000/)
  assert.match(body, /a=ice-lite/)
  assert.doesNotMatch(body, /PCMU|opus|G722/)
})

test('neither side wants to offer first: the trunk’s offer is made one for the caller, whose answer comes in its ACK', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: LATE, sdp: '' })
  rig.answer(rig.sent('b1').key, 200, { sdp: PBX_OFFER })
  assert.match(rig.effectsOf('ack')[0]?.ack.body ?? '', /m=audio/)
  assert.match(rig.final(invite).body, /m=audio/)
  rig.ack('a', phoneSdp({ payloads: [8, 101] }))
  const again = rig.sent('b1')
  assert.match(again.request.body, /RTP\/AVP 8 101\r\n/, 'the trunk is told what the caller left out')
  rig.answer(again.key, 200, { sdp: phoneSdp({ address: '198.51.100.8', port: 31_000, payloads: [8, 101] }) })
  assert.equal(rig.state.phase, 'talking')
})

for (const [what, sdp, status] of [
  ['no SDP', undefined, 502],
  [
    'nothing in common',
    PBX_OFFER.replace(/RTP\/AVP [0-9 ]+/, 'RTP/AVP 97').replace(/a=rtpmap:9 G722/, 'a=rtpmap:97 iLBC'),
    488,
  ],
] as const) {
  test(`a late offer with ${what} is acknowledged, hung up, and refused to the caller`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ decision: LATE })
    rig.answer(rig.sent('b1').key, 200, sdp === undefined ? {} : { sdp })
    assert.equal(rig.effectsOf('ack').length, 1)
    assert.equal(rig.final(invite).status, status)
    assert.equal(rig.sent('b1', 'BYE').leg, 'b1')
    rig.settle()
    assert.equal(rig.state.phase, 'ended')
  })
}

test('a caller that holds already: the trunk is answered so', () => {
  const rig = new CallRig()
  rig.offer({ decision: LATE, sdp: phoneSdp({ direction: 'sendonly' }) })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  assert.match(rig.effectsOf('ack')[0]?.ack.body ?? '', /a=sendonly/)
})
