import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertEnded,
  BOB_SDP,
  CallRig,
  destination,
  ring,
  TWO_TARGETS,
  talkingRig as talking,
} from '../../test/support/call-rig.ts'
import { browserSdp, phoneSdp } from '../../test/support/sdp-texts.ts'

const TWO_PHONES = ring([destination('bob', '198.51.100.8'), destination('bob', '198.51.100.10')])

test('a call rings, is answered, and ends with a BYE to the other side', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 100)
  rig.answer(rig.sent('b1').key, 180)
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [180, 200])
  assert.match(rig.final(invite).body, /m=audio 40\d\d\d RTP\/AVP 0 101\r\n/)
  assert.equal(rig.effectsOf('ack').length, 1)
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
  assert.deepEqual(rig.changes.at(-1), { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b1' } })

  const bye = rig.request('a', 'BYE')
  assert.deepEqual(rig.statuses(bye), [200])
  rig.answer(rig.sent('b1', 'BYE').key, 200)
  assertEnded(rig, { status: 200, endedBy: 'caller' })
})

test('the called side hangs up: the caller gets the BYE', () => {
  const { rig } = talking()
  rig.request('b1', 'BYE', { headers: [{ name: 'Reason', value: 'Q.850;cause=16' }] })
  const bye = rig.sent('a', 'BYE')
  assert.equal(bye.request.headers.get('Reason'), 'Q.850;cause=16')
  rig.answer(bye.key, 200)
  assertEnded(rig, { status: 200, endedBy: 'callee' })
})

test('nothing of one leg is shown on the other', () => {
  const { rig } = talking()
  const { request } = rig.sent('b1')
  const text = JSON.stringify(request.headers.fields()) + request.body
  for (const secret of ['of-the-caller', '198.51.100.7', 'tag=caller', 'z9hG4bK']) {
    assert.ok(!text.includes(secret), `${secret} in ${text}`)
  }
  assert.equal(request.headers.from.displayName, 'Alice')
  assert.equal(request.headers.from.uri, 'sip:alice@example.test')
  assert.equal(request.headers.to.uri, 'sip:bob@example.test')
  assert.equal(request.headers.maxForwards, 69)
  assert.deepEqual(request.headers.contacts !== '*' && request.headers.contacts[0]?.uri, 'sip:192.0.2.1:5060')
})

test('a caller is who it authenticated as, whatever its From says', () => {
  const rig = new CallRig()
  rig.offer({ caller: { kind: 'user', tenant: 'example.test', user: 'mallory' } })
  assert.equal(rig.sent('b1').request.headers.from.uri, 'sip:mallory@example.test')
})

test('who calls is asserted to trusted trunks only', () => {
  for (const [trusted, expected] of [
    [['example.test/carrier'], '"Alice" <sip:alice@example.test>'],
    [[], undefined],
  ] as const) {
    const rig = new CallRig({ trustedTrunks: trusted })
    rig.offer({ decision: TWO_TARGETS })
    assert.equal(rig.sent('b1').request.headers.get('P-Asserted-Identity'), expected)
  }
})

for (const status of [404, 480, 486, 488, 503, 603]) {
  test(`a refusal with ${status} reaches the caller as ${status}`, () => {
    const rig = new CallRig()
    const invite = rig.offer()
    rig.answer(rig.sent('b1').key, 180)
    rig.answer(rig.sent('b1').key, status)
    assert.deepEqual(rig.statuses(invite), [180, status])
    assertEnded(rig, { status, endedBy: 'callee' })
  })
}

test('Retry-After and Reason of a refusal are passed on, a Contact is not', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 480, {
    headers: [
      { name: 'Retry-After', value: '30' },
      { name: 'Reason', value: 'Q.850;cause=20' },
    ],
  })
  const { headers } = rig.final(invite)
  assert.equal(headers.get('Retry-After'), '30')
  assert.equal(headers.get('Reason'), 'Q.850;cause=20')
  assert.equal(headers.has('Contact'), false)
})

test('a challenged request is sent again with the next CSeq, in the same dialog-to-be', () => {
  const rig = new CallRig()
  rig.offer({ decision: TWO_TARGETS })
  const first = rig.sent('b1')
  const authorization = { name: 'Authorization', value: 'Digest username="x"' }
  rig.event({ kind: 'authorized', key: first.key, authorization })
  const second = rig.sent('b1')
  assert.notEqual(second.key, first.key)
  assert.equal(second.request.headers.cseq.sequence, 2)
  assert.equal(second.request.headers.callId, first.request.headers.callId)
  assert.equal(second.request.headers.get('Authorization'), authorization.value)
  assert.equal(second.request.body, first.request.body)
  rig.answer(second.key, 200, { sdp: BOB_SDP })
  assert.equal(rig.effectsOf('ack')[0]?.ack.headers.cseq.sequence, 2)
  rig.ack('a')
  rig.request('a', 'BYE')
  assert.equal(rig.sent('b1', 'BYE').request.headers.cseq.sequence, 3)
})

test('early media of a branch is heard by the caller, and a later 180 changes nothing', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  const { key } = rig.sent('b1')
  rig.answer(key, 183, { sdp: BOB_SDP })
  const early = rig.responses.find((each) => each.response.status === 183)?.response
  assert.match(early?.body ?? '', /m=audio 40/)
  assert.deepEqual(rig.changes.at(-1), { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b1' } })
  const changes = rig.changes.length
  rig.answer(key, 180)
  assert.equal(rig.changes.length, changes)
  rig.answer(key, 200, { sdp: BOB_SDP })
  assert.deepEqual(rig.statuses(invite), [183, 180, 200])
  assert.equal(rig.final(invite).body, early?.body, 'the same session: the same SDP with the same version')
})

test('RFC 3261 §13.2.1: an answer without SDP stands by the one of its provisional response', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 183, { sdp: BOB_SDP })
  rig.answer(rig.sent('b1').key, 200)
  assert.match(rig.final(invite).body, /m=audio/)
})

test('CANCEL of the caller stops the ringing and gets its 487', () => {
  const rig = new CallRig()
  const invite = rig.offer({ decision: TWO_PHONES })
  rig.answer(rig.sent('b1').key, 180)
  rig.event({ kind: 'cancelled', key: invite, request: rig.fromCaller('CANCEL') })
  assert.deepEqual(rig.statuses(invite), [180, 487])
  assert.equal(rig.effectsOf('cancel').length, 2)
  rig.answer(rig.sent('b1').key, 487)
  assert.equal(rig.state.phase, 'ending')
  rig.answer(rig.sent('b2').key, 200, { sdp: BOB_SDP }) // Crosses the CANCEL.
  rig.answer(rig.sent('b2', 'BYE').key, 200)
  assertEnded(rig, { status: 487, endedBy: 'caller' })
})

test('CANCEL that comes after our 200 changes nothing', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.event({ kind: 'cancelled', key: invite, request: rig.fromCaller('CANCEL') })
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 3261 §15: a BYE to a caller whose ACK is not here waits for it', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.request('b1', 'BYE')
  assert.throws(() => rig.sent('a', 'BYE'))
  rig.event({ kind: 'ack-missing', key: invite })
  rig.answer(rig.sent('a', 'BYE').key, 200)
  assertEnded(rig, { status: 200, endedBy: 'callee' })
})

test('an answer that nobody acknowledges ends the call on both sides', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.event({ kind: 'ack-missing', key: invite })
  rig.answer(rig.sent('a', 'BYE').key, 200)
  rig.answer(rig.sent('b1', 'BYE').key, 200)
  assertEnded(rig, { status: 200, endedBy: 'timer' })
})

test('BYE before the answer ends the ringing', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 180)
  const bye = rig.request('a', 'BYE')
  assert.deepEqual([rig.statuses(bye), rig.statuses(invite)], [[200], [180, 487]])
  rig.answer(rig.sent('b1').key, 487)
  assertEnded(rig, { status: 487, endedBy: 'caller' })
})

test('nobody picks up: 480 if it rang, 408 if not even that, and CANCEL', () => {
  for (const [rings, status] of [
    [true, 480],
    [false, 408],
  ] as const) {
    const rig = new CallRig()
    const invite = rig.offer()
    if (rings) rig.answer(rig.sent('b1').key, 180)
    rig.pass(60_000)
    assert.equal(rig.final(invite).status, status)
    assert.equal(rig.effectsOf('cancel').length, 1)
    rig.settle()
    assertEnded(rig, { status, endedBy: 'timer' })
  }
})

test('a call ends at its longest duration', () => {
  const { rig } = talking()
  rig.pass(3_599_999)
  assert.equal(rig.state.phase, 'talking')
  rig.pass(1)
  assert.match(rig.sent('a', 'BYE').request.headers.get('Reason') ?? '', /^SIP;cause=200;/)
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'timer' })
})

const refused: readonly (readonly [
  what: string,
  options: Parameters<CallRig['offer']>[0],
  status: number,
  header?: [string, string],
])[] = [
  [
    'an extension that we do not know',
    { headers: [{ name: 'Require', value: 'precondition, timer' }] },
    420,
    ['Unsupported', 'precondition'],
  ],
  ['no hop left', { headers: [{ name: 'Max-Forwards', value: '0' }] }, 483],
  ['an SDP that is none', { sdp: 'this is not SDP' }, 400],
  [
    'a session interval that is too short',
    {
      headers: [
        { name: 'Supported', value: 'timer' },
        { name: 'Session-Expires', value: '60' },
      ],
    },
    422,
    ['Min-SE', '90'],
  ],
  [
    'only codecs that nobody here knows',
    {
      sdp: phoneSdp({ payloads: [0] })
        .replace('RTP/AVP 0', 'RTP/AVP 97')
        .replace('0 PCMU', '97 iLBC'),
    },
    488,
  ],
  [
    'a decision to refuse',
    { decision: { kind: 'refuse', code: 'ROUTE_NOT_FOUND', status: 404, reason: 'no such user' } },
    404,
  ],
  ['a decision with nobody in it', { decision: { kind: 'ring', groups: [] } }, 480],
]
for (const [what, options, status, header] of refused) {
  test(`an INVITE with ${what} is refused with ${status} and nothing stays`, () => {
    const rig = new CallRig()
    const invite = rig.offer(options)
    assert.deepEqual(rig.statuses(invite), [status])
    if (header !== undefined) assert.equal(rig.final(invite).headers.get(header[0]), header[1])
    assert.equal(rig.state.phase, 'ended')
    assert.equal(rig.requests.length, 0)
    assert.equal(rig.effectsOf('media-open').length, rig.effectsOf('media-close').length)
  })
}

for (const [what, sdp, code] of [
  ['none', 'this is not SDP', 'SDP_MALFORMED'],
  ['too large', phoneSdp().padEnd(40_000, 'x'), 'SDP_TOO_LARGE'],
] as const) {
  test(`an SDP that is ${what} is noted as ${code}, so that it can be counted`, () => {
    const rig = new CallRig()
    rig.offer({ sdp })
    const errors = rig.effectsOf('note').filter(({ note }) => note.topic === 'error')
    assert.deepEqual(
      errors.map(({ note }) => note.facts?.code),
      [code],
    )
  })
}

test('nobody is called before the engine has ports; without them the caller gets 503', () => {
  const rig = new CallRig()
  rig.mediaAnswers = 'by hand'
  const invite = rig.offer()
  assert.equal(rig.requests.length, 0)
  const [open] = rig.effectsOf('media-open')
  rig.event({ kind: 'media-failed', op: open?.op ?? 0, code: 'MEDIA_PORTS_EXHAUSTED', detail: 'full' })
  assert.deepEqual(rig.statuses(invite), [503])
  assert.equal(rig.state.phase, 'ended')
})

test('a caller who gives up while the ports are opened leaves no session behind', () => {
  const rig = new CallRig()
  rig.mediaAnswers = 'by hand'
  const invite = rig.offer()
  rig.event({ kind: 'cancelled', key: invite, request: rig.fromCaller('CANCEL') })
  assert.deepEqual(rig.statuses(invite), [487])
  assert.equal(rig.state.phase, 'ending')
  rig.mediaAnswers = 'at once'
  for (const event of rig.heldMedia) rig.event(event)
  assertEnded(rig, { status: 487, endedBy: 'caller' })
  assert.equal(rig.requests.length, 0)
})

test('media that fails ends the call on both sides; silence alone does not', () => {
  const { rig } = talking()
  rig.event({ kind: 'media', event: { kind: 'silent', session: 'c1', side: 'a', forMs: 60_000, cause: 'stopped' } })
  rig.event({ kind: 'media', event: { kind: 'ended', session: 'c1', side: 'b1' } })
  assert.equal(rig.state.phase, 'talking')
  rig.event({
    kind: 'media',
    event: { kind: 'failed', session: 'c1', side: 'a', code: 'SDP_ANSWER_MISMATCH', detail: 'fingerprint is wrong' },
  })
  assert.match(rig.sent('b1', 'BYE').request.headers.get('Reason') ?? '', /fingerprint is wrong/)
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'media' })
})

test('a browser that is gone without a word ends the call', () => {
  const { rig } = talking()
  rig.event({ kind: 'media', event: { kind: 'ice-disconnected', session: 'c1', side: 'a' } })
  assert.match(rig.sent('b1', 'BYE').request.headers.get('Reason') ?? '', /no consent/)
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'media' })
})

test('the engine is lost: the call ends though nobody closes its session', () => {
  const { rig } = talking()
  rig.event({ kind: 'media', event: { kind: 'engine-lost', detail: 'exit 1' } })
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
  assert.equal(rig.effectsOf('media-close').length, 0)
})

test('a session that the engine closed by itself ends its call with the reason, and is not closed again', () => {
  const { rig } = talking()
  rig.event({ kind: 'media', event: { kind: 'closed', session: 'c1', reason: 'nobody claimed it', sides: [] } })
  assert.match(rig.sent('b1', 'BYE').request.headers.get('Reason') ?? '', /nobody claimed it/)
  rig.settle()
  assert.equal(rig.state.phase, 'ended')
  assert.equal(rig.effectsOf('media-close').length, 0)
})

test('an operator ends a call', () => {
  const { rig } = talking()
  rig.event({ kind: 'end', reason: 'shutdown' })
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'operator' })
})

for (const [builtin, to] of [
  ['echo', { kind: 'echo' }],
  ['tone', { kind: 'tone', frequencyHz: 1004 }],
] as const) {
  test(`${builtin} answers by itself, a browser as well`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ decision: { kind: 'builtin', builtin }, sdp: browserSdp(), transport: 'ws' })
    assert.deepEqual(rig.statuses(invite), [200])
    assert.match(rig.final(invite).body, /UDP\/TLS\/RTP\/SAVPF/)
    assert.equal(/opus/.test(rig.final(invite).body), builtin === 'echo', 'a tone is made in G.711 only')
    assert.deepEqual(rig.changes.at(-1), { kind: 'connect', side: 'a', to })
    rig.ack('a')
    rig.request('a', 'BYE')
    assertEnded(rig, { status: 200, endedBy: 'caller' })
  })
}

test('a browser calls a phone: the answer is in its terms and in a codec both have', () => {
  const rig = new CallRig()
  const invite = rig.offer({ sdp: browserSdp(), transport: 'ws' })
  assert.match(rig.sent('b1').request.body, /RTP\/AVP/)
  assert.doesNotMatch(rig.sent('b1').request.body, /ice-ufrag|fingerprint|198\.51\.100\.9/)
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  const { body } = rig.final(invite)
  assert.match(body, /a=ice-lite/)
  assert.match(body, /PCMU\/8000/)
  assert.doesNotMatch(body, /opus|198\.51\.100\.8/)
})

test('a state is plain data: what JSON makes of it goes on like it', () => {
  const { rig } = talking()
  const copy = JSON.parse(JSON.stringify(rig.state))
  assert.deepEqual(Object.keys(copy.legs), ['a', 'b1'])
  rig.state = copy
  rig.request('a', 'BYE')
  rig.settle()
  assertEnded(rig, { status: 200, endedBy: 'caller' })
})
