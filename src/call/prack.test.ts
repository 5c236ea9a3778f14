import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertEnded, BOB_SDP, CallRig, destination, ring } from '../../test/support/call-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import type { SipResponse } from '../sip/index.ts'

const MAX_FORWARDS = { name: 'Max-Forwards', value: '70' }
const SUPPORTED = [MAX_FORWARDS, { name: 'Supported', value: 'timer, 100rel' }]
const REQUIRED = [MAX_FORWARDS, { name: 'Require', value: '100rel' }]
const TWO_PHONES = ring([destination('bob', '198.51.100.8'), destination('bob', '198.51.100.10')])

const reliably = (rseq: number) => [
  { name: 'Require', value: '100rel' },
  { name: 'RSeq', value: String(rseq) },
]

/** The newest provisional response to `key`. */
function told(rig: CallRig, key: string): SipResponse {
  const found = rig.responses.findLast((each) => each.key === key)?.response
  assert.ok(found)
  return found
}

function prack(rig: CallRig, response: SipResponse, options: { sdp?: string; rack?: string } = {}): string {
  const rack = options.rack ?? `${response.headers.get('RSeq')} ${response.headers.get('CSeq')}`
  return rig.request('a', 'PRACK', {
    headers: [{ name: 'RAck', value: rack }],
    toTag: response.headers.toTag ?? '',
    ...(options.sdp !== undefined && { sdp: options.sdp }),
  })
}

for (const [how, headers] of [
  ['supports', SUPPORTED],
  ['requires', REQUIRED],
] as const) {
  test(`RFC 3262 §3: who ${how} it gets its 18x reliably, repeated until the PRACK`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ headers })
    rig.answer(rig.sent('b1').key, 180)
    const ringing = told(rig, invite)
    assert.deepEqual(ringing.headers.values('Require'), ['100rel'])
    assert.match(ringing.headers.get('RSeq') ?? '', /^[1-9]\d{0,9}$/)
    assert.ok(ringing.headers.values('Allow').includes('UPDATE'))
    rig.pass(3_500)
    assert.deepEqual(rig.statuses(invite), [180, 180, 180, 180], 'at 0, 500, 1500 and 3500 ms')
    assert.equal(told(rig, invite).headers.get('RSeq'), ringing.headers.get('RSeq'))
    const key = prack(rig, ringing)
    assert.deepEqual(rig.statuses(key), [200])
    rig.pass(20_000)
    assert.equal(rig.statuses(invite).length, 4)
    rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
    assert.match(rig.final(invite).body, /m=audio/)
    rig.ack('a')
    assert.equal(rig.state.phase, 'talking')
  })
}

test('who does not know of reliable responses gets them as ever', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 180, { headers: reliably(7) })
  assert.equal(told(rig, invite).headers.has('RSeq'), false)
  assert.equal(told(rig, invite).headers.has('Require'), false)
  rig.pass(20_000)
  assert.deepEqual(rig.statuses(invite), [180])
})

test('RFC 3262 §3: without PRACK for 64·T1 the call is refused with 504', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: SUPPORTED })
  rig.answer(rig.sent('b1').key, 180)
  rig.pass(32_000)
  assert.equal(rig.final(invite).status, 504)
  assert.equal(rig.effectsOf('cancel').length, 1)
  rig.settle()
  assertEnded(rig, { status: 504, endedBy: 'caller' })
})

test('RFC 3262 §3: a second reliable response waits for the PRACK of the first, and counts one more', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: SUPPORTED })
  const { key } = rig.sent('b1')
  rig.answer(key, 180)
  const first = told(rig, invite)
  rig.answer(key, 183, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [180])
  prack(rig, first)
  const second = told(rig, invite)
  assert.equal(second.status, 183)
  assert.match(second.body, /m=audio/)
  assert.equal(Number(second.headers.get('RSeq')), Number(first.headers.get('RSeq')) + 1)
})

test('RFC 3262 §3: the 200 waits for the PRACK of an 18x with SDP, and then carries none', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: SUPPORTED })
  const { key } = rig.sent('b1')
  rig.answer(key, 183, { sdp: BOB_SDP })
  rig.answer(key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [183])
  rig.pass(500)
  assert.deepEqual(rig.statuses(invite), [183, 183])
  const acknowledgement = prack(rig, told(rig, invite))
  assert.deepEqual(rig.statuses(acknowledgement), [200])
  assert.equal(rig.final(invite).status, 200)
  assert.equal(rig.final(invite).body, '')
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
  assert.equal(rig.state.earlyDialogs, undefined)
  rig.pass(60_000)
  assert.equal(rig.state.phase, 'talking')
})

test('the 200 does not wait for the PRACK of an 18x without SDP, which is then still answered', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: SUPPORTED })
  const { key } = rig.sent('b1')
  rig.answer(key, 180)
  const ringing = told(rig, invite)
  rig.answer(key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [180, 200])
  assert.deepEqual(rig.statuses(prack(rig, ringing)), [200])
  rig.pass(5_000)
  assert.deepEqual(rig.statuses(invite), [180, 200])
})

test('a caller who cancels while the 200 waits for its PRACK gets 487, the callee a BYE', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: SUPPORTED })
  const { key } = rig.sent('b1')
  rig.answer(key, 183, { sdp: BOB_SDP })
  rig.answer(key, 200, { sdp: BOB_SDP })
  rig.event({ kind: 'cancelled', key: invite, request: rig.fromCaller('CANCEL') })
  assert.equal(rig.final(invite).status, 487)
  rig.answer(rig.sent('b1', 'BYE').key, 200)
  assertEnded(rig, { status: 487, endedBy: 'caller' })
})

for (const rack of ['1 1 INVITE', 'nonsense', '']) {
  test(`RFC 3262 §3: a PRACK with RAck "${rack}" that fits nothing gets 481 and stops nothing`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ headers: SUPPORTED })
    rig.answer(rig.sent('b1').key, 180)
    assert.deepEqual(rig.statuses(prack(rig, told(rig, invite), { rack })), [481])
    rig.pass(500)
    assert.deepEqual(rig.statuses(invite), [180, 180])
  })
}

test('a PRACK with an offer is answered with what is agreed', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: SUPPORTED })
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  const key = prack(rig, told(rig, invite), { sdp: phoneSdp({ version: 2, direction: 'sendonly' }) })
  assert.match(rig.final(key).body, /a=recvonly/)
  assert.match(rig.final(key).body, /RTP\/AVP 0 101\r\n/)
})

test('RFC 3262 §5: a caller without offer that requires it gets ours in the 18x and answers in the PRACK', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: REQUIRED, sdp: '' })
  const { key } = rig.sent('b1')
  rig.answer(key, 180)
  assert.deepEqual(rig.statuses(invite), [], 'the first reliable response has to carry the offer')
  rig.answer(key, 183, { sdp: BOB_SDP })
  assert.match(told(rig, invite).body, /m=audio/)
  prack(rig, told(rig, invite), { sdp: phoneSdp() })
  assert.deepEqual(rig.changes.at(-1), { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b1' } })
  rig.answer(key, 200, { sdp: BOB_SDP })
  assert.equal(rig.final(invite).body, '')
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 3262 §4: a reliable 18x of a callee is acknowledged once, in its dialog', () => {
  const rig = new CallRig()
  rig.offer()
  const { key, request } = rig.sent('b1')
  assert.ok(request.headers.values('Supported').includes('100rel'))
  rig.answer(key, 183, { sdp: BOB_SDP, headers: reliably(4711) })
  rig.answer(key, 183, { sdp: BOB_SDP, headers: reliably(4711) })
  const sent = rig.requests.filter((each) => each.request.method === 'PRACK')
  assert.equal(sent.length, 1)
  assert.equal(sent[0]?.request.headers.get('RAck'), '4711 1 INVITE')
  assert.equal(sent[0]?.request.headers.toTag, 'tag-b1')
  assert.equal(sent[0]?.request.headers.get('CSeq'), '2 PRACK')
  rig.answer(sent[0]?.key ?? '', 200)
  rig.answer(key, 200)
  rig.ack('a')
  rig.request('a', 'BYE')
  assert.equal(rig.sent('b1', 'BYE').request.headers.get('CSeq'), '3 BYE')
})

test('RFC 3262 §4: a reliable 18x that overtook another one is dropped until that is here', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  const { key } = rig.sent('b1')
  const racks = () =>
    rig.requests.filter(({ request }) => request.method === 'PRACK').map(({ request }) => request.headers.get('RAck'))
  rig.answer(key, 180, { headers: reliably(1) })
  rig.answer(key, 183, { sdp: BOB_SDP, headers: reliably(3) })
  assert.deepEqual(racks(), ['1 1 INVITE'])
  assert.deepEqual(rig.statuses(invite), [180])
  rig.answer(key, 180, { headers: reliably(2) })
  rig.answer(key, 183, { sdp: BOB_SDP, headers: reliably(3) })
  assert.deepEqual(racks(), ['1 1 INVITE', '2 1 INVITE', '3 1 INVITE'])
  assert.deepEqual(rig.statuses(invite), [180, 183])
})

test('RFC 6337 §3.1.1: SDP in the 200 after a reliable answer changes nothing', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  const { key } = rig.sent('b1')
  rig.answer(key, 183, { sdp: BOB_SDP, headers: reliably(1) })
  const early = told(rig, invite).body
  const changes = rig.changes.filter(({ kind }) => kind === 'remote').length
  rig.answer(key, 200, { sdp: phoneSdp({ address: '198.51.100.8', port: 9_000, payloads: [8] }) })
  assert.equal(rig.final(invite).body, early)
  assert.equal(rig.changes.filter(({ kind }) => kind === 'remote').length, changes)
})

test('a callee that does not understand our PRACK does not end the call', () => {
  const rig = new CallRig()
  rig.offer()
  const { key } = rig.sent('b1')
  rig.answer(key, 180, { headers: reliably(1) })
  rig.answer(rig.sent('b1', 'PRACK').key, 481)
  rig.answer(key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
})

test('reliable on both sides: each 18x of the callee is acknowledged by us and told to the caller', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: REQUIRED, decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 180, { headers: reliably(10) })
  rig.answer(rig.sent('b2').key, 180, { headers: reliably(20) })
  assert.equal(rig.requests.filter(({ request }) => request.method === 'PRACK').length, 2)
  assert.deepEqual(rig.statuses(invite), [180])
  prack(rig, told(rig, invite))
  rig.answer(rig.sent('b2').key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [180, 200])
})
