import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOB_SDP, CallRig, destination, ring, TWO_TARGETS } from '../../test/support/call-rig.ts'
import { browserSdp, phoneSdp } from '../../test/support/sdp-texts.ts'

const TWO_PHONES = ring([destination('bob', '198.51.100.8'), destination('bob', '198.51.100.10')])
const OTHER_SDP = phoneSdp({ address: '198.51.100.10', port: 32_000, payloads: [8, 101] })

/** To tag and body of each 18x with SDP that the caller got, in order. */
function earlyOf(rig: CallRig): { tag: string | undefined; body: string }[] {
  return rig.responses
    .filter(({ response }) => response.status > 100 && response.status < 200 && response.body !== '')
    .map(({ response }) => ({ tag: response.headers.toTag, body: response.body }))
}

/** Whom the caller hears now. */
function heard(rig: CallRig): unknown {
  const connect = rig.changes.findLast((change) => change.kind === 'connect')
  return connect?.kind === 'connect' && connect.to.kind === 'side' ? connect.to.side : undefined
}

test('two phones ring without SDP: the caller has one early dialog', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 180)
  rig.answer(rig.sent('b2').key, 180)
  assert.deepEqual(rig.statuses(invite), [180])
  rig.answer(rig.sent('b2').key, 200, { sdp: BOB_SDP })
  assert.equal(rig.responses[0]?.response.headers.toTag, rig.final(invite).headers.toTag)
  assert.equal(rig.state.earlyDialogs, undefined)
})

test('RFC 6337 §3.1.1: early media of two branches is given in two early dialogs, the first is heard', () => {
  const rig = new CallRig()
  rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
  const [first, second] = earlyOf(rig)
  assert.notEqual(first?.tag, second?.tag)
  assert.match(first?.body ?? '', /RTP\/AVP 0 101\r\n/)
  assert.match(second?.body ?? '', /RTP\/AVP 8 101\r\n/)
  assert.equal(heard(rig), 'b1')
  assert.deepEqual(
    rig
      .effectsOf('dialog')
      .filter(({ leg }) => leg === 'a')
      .map(({ localTag }) => localTag),
    [first?.tag, second?.tag],
  )
})

for (const [winner, sdp] of [
  ['b1', BOB_SDP],
  ['b2', OTHER_SDP],
] as const) {
  test(`of two early dialogs that of ${winner}, which answers, becomes the call`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ decision: TWO_PHONES })
    rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
    rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
    const early = earlyOf(rig)[winner === 'b1' ? 0 : 1]
    rig.answer(rig.sent(winner).key, 200, { sdp })
    assert.equal(rig.final(invite).headers.toTag, early?.tag)
    assert.equal(rig.final(invite).body, early?.body)
    assert.equal(heard(rig), winner)
    rig.ack('a')
    assert.equal(rig.state.phase, 'talking')
    rig.request('a', 'BYE')
    assert.equal(rig.sent(winner, 'BYE').leg, winner)
  })
}

test('a branch answers that gave nothing early: its answer is not put into the dialog of another one', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b2').key, 200, { sdp: OTHER_SDP })
  assert.notEqual(rig.final(invite).headers.toTag, earlyOf(rig)[0]?.tag)
  assert.match(rig.final(invite).body, /RTP\/AVP 8 101\r\n/)
  assert.equal(heard(rig), 'b2')
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
})

test('the branch that is heard refuses: the other one is heard', () => {
  const rig = new CallRig()
  rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
  rig.answer(rig.sent('b1').key, 486)
  assert.equal(heard(rig), 'b2')
})

test('the next target of a trunk speaks in an early dialog of its own', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_TARGETS })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b1').key, 503)
  rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
  const [first, second] = earlyOf(rig)
  assert.notEqual(first?.tag, second?.tag)
  assert.equal(heard(rig), 'b2')
  rig.answer(rig.sent('b2').key, 200, { sdp: OTHER_SDP })
  assert.equal(rig.final(invite).headers.toTag, second?.tag)
})

test('a browser gets one early dialog, whoever rings and answers: stock clients give up a call that forks', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES, sdp: browserSdp(), transport: 'ws' })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
  rig.answer(rig.sent('b2').key, 200, { sdp: OTHER_SDP })
  assert.equal(earlyOf(rig).length, 1)
  assert.equal(rig.final(invite).headers.toTag, earlyOf(rig)[0]?.tag)
})

test('RFC 3261 §12.1.2: one branch that forks behind the peer gives two early dialogs as well', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  const { key } = rig.sent('b1')
  const reliably = [
    { name: 'Require', value: '100rel' },
    { name: 'RSeq', value: '1' },
  ]
  rig.answer(key, 183, { sdp: BOB_SDP, tag: 'one', headers: reliably })
  rig.answer(key, 183, { sdp: OTHER_SDP, tag: 'two', headers: reliably })
  const [first, second] = earlyOf(rig)
  assert.notEqual(first?.tag, second?.tag)
  assert.deepEqual(
    rig.requests.filter(({ request }) => request.method === 'PRACK').map(({ request }) => request.headers.toTag),
    ['one', 'two'],
  )
  rig.answer(key, 200, { tag: 'two' })
  assert.equal(rig.final(invite).headers.toTag, second?.tag)
  assert.equal(rig.final(invite).body, second?.body)
  const remote = rig.changes.findLast((change) => change.kind === 'remote' && change.side === 'b1')
  assert.match(JSON.stringify(remote), /198\.51\.100\.10/, 'the media of the one that answered')
  rig.ack('a')
  rig.request('a', 'BYE')
  assert.equal(rig.sent('b1', 'BYE').request.headers.toTag, 'two')
  assert.equal(rig.sent('b1', 'BYE').request.headers.get('CSeq'), '3 BYE')
})

test('RFC 3261 §15: a BYE in one of two early dialogs ends that one alone', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
  const [first] = earlyOf(rig)
  const bye = rig.request('a', 'BYE', { toTag: first?.tag ?? '' })
  assert.deepEqual(rig.statuses(bye), [200])
  assert.deepEqual(
    rig.effectsOf('cancel').map(({ key }) => key),
    [rig.sent('b1').key],
  )
  assert.equal(heard(rig), 'b2')
  rig.answer(rig.sent('b1').key, 487)
  rig.answer(rig.sent('b2').key, 200, { sdp: OTHER_SDP })
  assert.deepEqual(rig.statuses(invite), [183, 183, 200])
})

test('requests in an early dialog that is not shown count on their own', () => {
  const rig = new CallRig()
  rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b2').key, 183, { sdp: OTHER_SDP })
  const [first, second] = earlyOf(rig)
  for (const tag of [second?.tag, first?.tag, second?.tag]) {
    assert.deepEqual(rig.statuses(rig.request('a', 'UPDATE', { toTag: tag ?? '' })), [200])
  }
  assert.deepEqual(rig.statuses(rig.request('a', 'UPDATE', { toTag: 'nobody' })), [481])
})
