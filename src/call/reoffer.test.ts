import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallRig } from '../../test/support/call-rig.ts'
import { browserSdp, phoneSdp } from '../../test/support/sdp-texts.ts'
import type { LegId } from './model.ts'

const BOB = { address: '198.51.100.8', port: 31_000, payloads: [0, 101] }

function talking(caller: { sdp?: string; transport?: 'ws' } = {}): CallRig {
  const rig = new CallRig()
  rig.offer(caller)
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp(BOB) })
  rig.ack('a')
  return rig
}

/** The offer that `leg` would send again with these facts changed. */
function offerOf(leg: LegId, facts: object): string {
  return leg === 'a' ? phoneSdp({ version: 2, ...facts }) : phoneSdp({ ...BOB, version: 2, ...facts })
}

const other = (leg: LegId): LegId => (leg === 'a' ? 'b1' : 'a')

function countInvites(rig: CallRig): number {
  return rig.requests.filter(({ request }) => request.method === 'INVITE').length
}

for (const leg of ['a', 'b1'] as const) {
  for (const method of ['INVITE', 'UPDATE'] as const) {
    test(`hold and resume by ${method} from ${leg}`, () => {
      const rig = talking()
      const hold = rig.request(leg, method, { sdp: offerOf(leg, { direction: 'sendonly' }) })
      const relayed = rig.sent(other(leg))
      assert.match(relayed.request.body, /a=sendonly/)
      assert.deepEqual(rig.statuses(hold), [])
      rig.answer(relayed.key, 200, { sdp: offerOf(other(leg), { direction: 'recvonly' }) })
      assert.match(rig.final(hold).body, /a=recvonly/)
      assert.equal(rig.state.legs[leg]?.holds, true)
      if (method === 'INVITE') rig.ack(leg)

      const resume = rig.request(leg, method, { sdp: offerOf(leg, { version: 3 }) })
      const again = rig.sent(other(leg))
      assert.match(again.request.body, /a=sendrecv/)
      rig.answer(again.key, 200, { sdp: offerOf(other(leg), { version: 3 }) })
      assert.match(rig.final(resume).body, /a=sendrecv/)
      assert.equal(rig.state.legs[leg]?.holds, false)
      assert.equal(rig.state.phase, 'talking')
    })
  }

  test(`hold in the old way, by c=0.0.0.0, from ${leg}`, () => {
    const rig = talking()
    rig.request(leg, 'INVITE', { sdp: offerOf(leg, { address: '0.0.0.0' }) })
    assert.match(rig.sent(other(leg)).request.body, /a=(sendonly|inactive)/)
  })

  test(`RFC 3264 §8: the version of our SDP grows with each change toward the peer of ${leg}, the id stays`, () => {
    const rig = talking()
    const origin = (body: string) => /^o=\S+ (\d+) (\d+) /m.exec(body)?.slice(1).map(Number) ?? []
    const before = origin(rig.sent('b1').request.body)
    rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
    const after = origin(rig.sent('b1').request.body)
    assert.deepEqual(after, [before[0], (before[1] ?? 0) + 1])
  })
}

for (const status of [488, 491, 503]) {
  test(`a re-INVITE that is refused with ${status} is refused to who asked, and the call goes on`, () => {
    const rig = talking()
    const key = rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'inactive' }) })
    rig.answer(rig.sent('b1').key, status)
    assert.deepEqual(rig.statuses(key), [status])
    assert.equal(rig.state.phase, 'talking')
    assert.equal(rig.state.legs.a?.holds, false)
  })
}

for (const status of [408, 481]) {
  test(`RFC 3261 §12.2.1.2: a re-INVITE answered ${status} ends the call`, () => {
    const rig = talking()
    const key = rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'inactive' }) })
    rig.answer(rig.sent('b1').key, status)
    assert.equal(rig.statuses(key).length, 1)
    rig.settle()
    assert.equal(rig.state.phase, 'ended')
    assert.equal(rig.requests.filter(({ leg, request }) => leg === 'a' && request.method === 'BYE').length, 1)
  })
}

test('RFC 3261 §14.2: an offer from the side that is being asked gets 491', () => {
  const rig = talking()
  rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
  const crossing = rig.request('b1', 'INVITE', { sdp: offerOf('b1', { direction: 'sendonly' }) })
  assert.deepEqual(rig.statuses(crossing), [491])
})

test('RFC 3261 §14.2: a second offer before the first is answered gets 500 and a time to try again', () => {
  const rig = talking()
  rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
  const second = rig.request('a', 'UPDATE', { sdp: offerOf('a', { version: 3 }) })
  assert.deepEqual(rig.statuses(second), [500])
  assert.ok(rig.final(second).headers.has('Retry-After'))
})

test('a renegotiation that nobody answers is given up: 504, and the call goes on', () => {
  const rig = talking()
  const key = rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
  rig.answer(rig.sent('b1').key, 180)
  rig.pass(32_000)
  assert.deepEqual(rig.statuses(key), [504])
  assert.equal(rig.effectsOf('cancel').length, 1)
  rig.answer(rig.sent('b1').key, 487)
  assert.equal(rig.state.phase, 'talking')
})

test('CANCEL of a re-INVITE is passed on', () => {
  const rig = talking()
  const key = rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
  rig.event({ kind: 'cancelled', key, request: rig.fromCaller('CANCEL') })
  assert.deepEqual(rig.statuses(key), [487])
  assert.equal(rig.effectsOf('cancel').length, 1)
  assert.equal(rig.state.phase, 'talking')
})

test('BYE during a renegotiation: the pending request gets 487, a late 2xx its ACK', () => {
  const rig = talking()
  const key = rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
  const relayed = rig.sent('b1')
  rig.request('b1', 'BYE')
  assert.deepEqual(rig.statuses(key), [487])
  rig.answer(relayed.key, 200, { sdp: offerOf('b1', { direction: 'recvonly' }) })
  assert.equal(rig.effectsOf('ack').length, 2)
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
})

test('UPDATE without SDP refreshes the session and is not passed on', () => {
  const rig = talking()
  const key = rig.request('a', 'UPDATE')
  assert.deepEqual(rig.statuses(key), [200])
  assert.equal(rig.final(key).body, '')
  assert.equal(rig.requests.length, 1)
})

test('a re-INVITE that repeats the SDP is answered with ours and not passed on', () => {
  for (const leg of ['a', 'b1'] as const) {
    const rig = talking()
    const key = rig.request(leg, 'INVITE', { sdp: leg === 'a' ? phoneSdp() : phoneSdp(BOB) })
    assert.match(rig.final(key).body, /m=audio 40\d+ RTP\/AVP 0 101\r\n/)
    assert.equal(countInvites(rig), 1)
    assert.equal(rig.state.phase, 'talking')
  }
})

test('a peer that only moves its media is followed without asking the other side', () => {
  const rig = talking()
  const key = rig.request('b1', 'INVITE', { sdp: offerOf('b1', { address: '198.51.100.99', port: 32_000 }) })
  assert.deepEqual(rig.statuses(key), [200])
  assert.equal(countInvites(rig), 1)
  const last = rig.changes.findLast((change) => change.kind === 'remote' && change.side === 'b1')
  assert.ok(last?.kind === 'remote' && last.remote.kind === 'rtp')
  assert.deepEqual([last.remote.media[0]?.address, last.remote.media[0]?.port], ['198.51.100.99', 32_000])
})

test('RFC 8839 §4.4: new ICE credentials of a browser get new ones of ours, and nobody else is asked', () => {
  const rig = talking({ sdp: browserSdp(), transport: 'ws' })
  const key = rig.request('a', 'INVITE', { sdp: browserSdp({ version: 3, ufrag: 'another' }) })
  assert.ok(rig.changes.some((change) => change.kind === 'restart-ice' && change.side === 'a'))
  const ufrag = /a=ice-ufrag:(\S+)/.exec(rig.final(key).body)?.[1]
  const before = /a=ice-ufrag:(\S+)/.exec(rig.responses[0]?.response.body ?? '')?.[1]
  assert.notEqual(ufrag, before)
  assert.equal(rig.state.phase, 'talking')
  assert.equal(rig.statuses(key)[0], 200)
})

test('RFC 3261 §14.2: a re-INVITE without SDP gets our offer, and its ACK the answer', () => {
  const rig = talking()
  const key = rig.request('b1', 'INVITE')
  assert.match(rig.final(key).body, /m=audio 40\d+ RTP\/AVP/)
  const offers = countInvites(rig)
  rig.ack('b1', phoneSdp({ ...BOB, version: 2, port: 31_500 }))
  const remote = rig.changes.findLast((change) => change.kind === 'remote')
  assert.ok(remote?.kind === 'remote' && remote.remote.kind === 'rtp')
  assert.equal(remote.remote.media[0]?.port, 31_500)
  assert.equal(countInvites(rig), offers, 'the other side has nothing to learn of it')
})

test('who held before resumes by a re-INVITE without SDP: the other side is told', () => {
  const rig = talking()
  rig.request('b1', 'INVITE', { sdp: offerOf('b1', { direction: 'sendonly' }) })
  rig.answer(rig.sent('a').key, 200, { sdp: offerOf('a', { direction: 'recvonly' }) })
  rig.ack('b1')
  const key = rig.request('b1', 'INVITE')
  assert.match(rig.final(key).body, /a=sendrecv/)
  rig.ack('b1', phoneSdp({ ...BOB, version: 3 }))
  assert.match(rig.sent('a').request.body, /a=sendrecv/)
  rig.answer(rig.sent('a').key, 200, { sdp: offerOf('a', { version: 3 }) })
  assert.equal(rig.state.phase, 'talking')
})

test('a call that begins without SDP: we offer to both, the caller answers in its ACK', () => {
  const rig = new CallRig()
  const invite = rig.offer({ sdp: '' })
  assert.match(rig.sent('b1').request.body, /m=audio/)
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, payloads: [8, 101] }) })
  assert.match(rig.final(invite).body, /RTP\/AVP 8 101\r\n/)
  rig.ack('a', phoneSdp({ payloads: [8, 101] }))
  assert.equal(rig.state.phase, 'talking')
  assert.ok(rig.changes.some((change) => change.kind === 'connect'))
  assert.equal(countInvites(rig), 1)
})

test('a caller without SDP that takes less than the callee offered: the callee is told', () => {
  const rig = new CallRig()
  rig.offer({ sdp: '' })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, payloads: [0, 8, 101] }) })
  rig.ack('a', phoneSdp({ payloads: [8, 101] }))
  assert.match(rig.sent('b1').request.body, /RTP\/AVP 8 101\r\n/)
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, version: 2, payloads: [8, 101] }) })
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 3261 §14.1: an offer of our own that meets glare is made again after 2.1 to 4 s', () => {
  const rig = new CallRig()
  rig.offer({ sdp: '' })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, payloads: [0, 8, 101] }) })
  rig.ack('a', phoneSdp({ payloads: [8, 101] }))
  const first = rig.sent('b1')
  rig.answer(first.key, 491)
  rig.pass(2_099)
  assert.equal(rig.sent('b1').key, first.key)
  rig.pass(1_901)
  assert.notEqual(rig.sent('b1').key, first.key)
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, version: 2, payloads: [8, 101] }) })
  assert.equal(rig.state.phase, 'talking')
})

test('a party of the echo holds and comes back; nobody else is asked', () => {
  const rig = new CallRig()
  rig.offer({ decision: { kind: 'builtin', builtin: 'echo' } })
  rig.ack('a')
  const hold = rig.request('a', 'INVITE', { sdp: offerOf('a', { direction: 'sendonly' }) })
  assert.match(rig.final(hold).body, /a=recvonly/)
  rig.ack('a')
  const resume = rig.request('a', 'UPDATE', { sdp: offerOf('a', { version: 3 }) })
  assert.match(rig.final(resume).body, /a=sendrecv/)
  assert.equal(rig.requests.length, 0)
})

test('an ACK that lacks the answer it owes ends the call', () => {
  const rig = new CallRig()
  rig.offer({ sdp: '' })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp(BOB) })
  rig.ack('a')
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
})

test('INFO goes to the other side with its body, and the answer back', () => {
  const rig = talking()
  const body = { type: 'application/dtmf-relay', content: 'Signal=5\r\nDuration=160\r\n' }
  const key = rig.request('a', 'INFO', { body })
  const relayed = rig.sent('b1', 'INFO')
  assert.equal(relayed.request.headers.contentType, body.type)
  assert.equal(relayed.request.body, body.content)
  rig.answer(relayed.key, 415)
  assert.deepEqual(rig.statuses(key), [415])
  const again = rig.request('a', 'INFO', { body })
  rig.answer(rig.sent('b1', 'INFO').key, 407)
  assert.deepEqual(rig.statuses(again), [503], 'the challenge of one leg is not the other’s to answer')
  assert.equal(rig.state.phase, 'talking')
})

for (const [method, status] of [
  ['OPTIONS', 200],
  ['MESSAGE', 405],
  ['FOO', 405],
] as const) {
  test(`${method} inside the call gets ${status} and the call goes on`, () => {
    const rig = talking()
    const key = rig.request('a', method)
    assert.deepEqual(rig.statuses(key), [status])
    assert.equal(
      rig.final(key).headers.get('Supported'),
      status === 200 ? '100rel, timer, replaces, norefersub' : undefined,
    )
    assert.match(rig.final(key).headers.get('Allow') ?? '', /INVITE, ACK, CANCEL, BYE, UPDATE/)
    assert.equal(rig.state.phase, 'talking')
  })
}

test('a body that is no SDP gets 415 and a word on what is taken', () => {
  const rig = talking()
  const key = rig.request('a', 'INVITE', { body: { type: 'text/plain', content: 'hello' } })
  assert.deepEqual(rig.statuses(key), [415])
  assert.equal(rig.final(key).headers.get('Accept'), 'application/sdp')
  const broken = rig.request('a', 'INVITE', { sdp: 'v=0\r\nm=audio\r\n' })
  assert.deepEqual(rig.statuses(broken), [400])
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 3261 §12.2.2: a request out of order gets 500 and changes nothing', () => {
  const rig = talking()
  const request = rig.fromCaller('BYE', { toTag: rig.state.legs.a?.localTag ?? '', sequence: 1 })
  rig.event({ kind: 'request', leg: 'a', key: 'old', request, flow: rig.state.legs.a?.flow ?? assert.fail() })
  assert.deepEqual(rig.statuses('old'), [500])
  assert.equal(rig.state.phase, 'talking')
})

const TIMER = [
  { name: 'Supported', value: 'timer, replaces' },
  { name: 'Session-Expires', value: '90' },
]

test('RFC 4028: a session timer is accepted, refreshed by UPDATE, and ends the call when the peer goes silent', () => {
  const rig = new CallRig()
  const invite = rig.offer({ headers: TIMER })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp(BOB) })
  assert.equal(rig.final(invite).headers.get('Session-Expires'), '90;refresher=uac')
  rig.ack('a')
  for (let refresh = 0; refresh < 3; refresh++) {
    rig.pass(45_000)
    const update = rig.request('a', 'UPDATE', { headers: TIMER })
    assert.equal(rig.final(update).headers.get('Session-Expires'), '90;refresher=uac')
  }
  rig.pass(59_999) // RFC 4028 §10: a third of the interval before its end.
  assert.equal(rig.state.phase, 'talking')
  rig.pass(1)
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
  assert.equal(rig.records[0]?.endedBy, 'timer')
})

test('RFC 4028 §9: who refreshes without a session interval is no longer watched', () => {
  const rig = new CallRig()
  rig.offer({ headers: TIMER })
  rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp(BOB) })
  rig.ack('a')
  const update = rig.request('a', 'UPDATE')
  assert.equal(rig.final(update).headers.has('Session-Expires'), false)
  rig.pass(1_000_000)
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 4028: a called peer that promised to refresh and does not is hung up', () => {
  const rig = new CallRig()
  rig.offer()
  rig.answer(rig.sent('b1').key, 200, {
    sdp: phoneSdp(BOB),
    headers: [{ name: 'Session-Expires', value: '120;refresher=uas' }],
  })
  rig.ack('a')
  rig.pass(120_000)
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
})
