import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOB_SDP, CallRig, TWO_TARGETS } from '../../test/support/call-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import type { CallConfig } from './config.ts'
import type { LegId } from './model.ts'

const MAX_FORWARDS = { name: 'Max-Forwards', value: '70' }
const SUPPORTED = { name: 'Supported', value: 'timer' }
const ALLOW_UPDATE = { name: 'Allow', value: 'INVITE, ACK, BYE, CANCEL, UPDATE' }
const expires = (value: string) => ({ name: 'Session-Expires', value })

/** A call that is up, with what the callee's 200 and the caller's INVITE say besides. */
function talking(
  callee: readonly { name: string; value: string }[] = [],
  caller: readonly { name: string; value: string }[] = [],
  config: Partial<CallConfig> = {},
): { rig: CallRig; invite: string } {
  const rig = new CallRig(config)
  const invite = rig.offer({ headers: [MAX_FORWARDS, ...caller] })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP, headers: callee })
  rig.ack('a')
  assert.equal(rig.state.phase, 'talking')
  return { rig, invite }
}

function count(rig: CallRig, leg: LegId, method: string): number {
  return rig.requests.filter((each) => each.leg === leg && each.request.method === method).length
}

test('RFC 4028 §7.1: our INVITE asks for a session timer, as the configuration says of its party', () => {
  const cases = [
    [{ seconds: 1_800, minSeconds: 90 }, '1800'],
    [{ seconds: 0, minSeconds: 90 }, undefined],
    [{ seconds: 1_800, minSeconds: 90, of: { 'example.test': 600 } }, '600'],
    [{ seconds: 1_800, minSeconds: 90, of: { 'example.test': 600, 'example.test/carrier': 900 } }, '900'],
    [{ seconds: 1_800, minSeconds: 90, of: { 'example.test/carrier': 0 } }, undefined],
  ] as const
  for (const [sessionTimer, expected] of cases) {
    const rig = new CallRig({ sessionTimer })
    rig.offer({ decision: TWO_TARGETS })
    const { headers } = rig.sent('b1').request
    assert.equal(headers.get('Session-Expires'), expected)
    assert.ok(headers.values('Supported').includes('timer'))
  }
})

test('a peer that knows no session timers is neither refreshed nor hung up', () => {
  const { rig } = talking()
  rig.pass(3_000_000)
  assert.equal(rig.state.phase, 'talking')
  assert.equal(rig.requests.length, 1)
})

test('RFC 4028 §10: the called peer wants us to refresh: UPDATE at half the interval, for as long as it is answered', () => {
  const { rig } = talking([expires('1800;refresher=uac'), ALLOW_UPDATE])
  for (let refresh = 1; refresh <= 3; refresh++) {
    rig.pass(899_999)
    assert.equal(count(rig, 'b1', 'UPDATE'), refresh - 1)
    rig.pass(1)
    const update = rig.sent('b1', 'UPDATE')
    assert.equal(update.request.headers.get('Session-Expires'), '1800;refresher=uac')
    assert.equal(update.request.body, '')
    rig.answer(update.key, 200, { headers: [expires('1800;refresher=uac')] })
  }
  assert.equal(count(rig, 'a', 'UPDATE') + count(rig, 'a', 'INVITE'), 0)
})

for (const [how, act] of [
  ['no answer', (rig: CallRig, key: string) => rig.event({ kind: 'failed', key, cause: 'timeout', detail: '' })],
  ['481', (rig: CallRig, key: string) => rig.answer(key, 481)],
  ['408', (rig: CallRig, key: string) => rig.answer(key, 408)],
] as const) {
  test(`RFC 4028 §10: a refresh of ours that gets ${how} ends the call`, () => {
    const { rig } = talking([expires('90;refresher=uac'), ALLOW_UPDATE])
    rig.pass(45_000)
    act(rig, rig.sent('b1', 'UPDATE').key)
    assert.equal(rig.state.phase, 'ending')
    assert.equal(count(rig, 'a', 'BYE'), 1)
    rig.settle()
    assert.deepEqual([rig.records[0]?.endedBy], ['timer'])
  })
}

test('a refresh that is refused for the moment is tried again, and without any success the session ends in time', () => {
  const { rig } = talking([expires('90;refresher=uac'), ALLOW_UPDATE])
  rig.pass(45_000)
  rig.answer(rig.sent('b1', 'UPDATE').key, 500)
  rig.pass(33_000)
  assert.equal(count(rig, 'b1', 'UPDATE'), 2)
  rig.answer(rig.sent('b1', 'UPDATE').key, 500)
  rig.pass(11_999)
  assert.equal(rig.state.phase, 'talking')
  rig.pass(1)
  assert.equal(rig.state.phase, 'ending')
})

test('a peer without UPDATE is refreshed by re-INVITE with the session as it is', () => {
  const { rig } = talking([expires('90;refresher=uac')])
  const first = rig.sent('b1').request.body
  rig.pass(45_000)
  const again = rig.sent('b1')
  assert.equal(count(rig, 'b1', 'INVITE'), 2)
  assert.equal(again.request.body, first, 'the same SDP with the same version')
  assert.equal(again.request.headers.get('Session-Expires'), '90;refresher=uac')
  rig.answer(again.key, 200, { sdp: BOB_SDP, headers: [expires('90;refresher=uac')] })
  assert.equal(count(rig, 'a', 'INVITE'), 0)
  rig.pass(45_000)
  assert.equal(count(rig, 'b1', 'INVITE'), 3)
  assert.equal(rig.state.phase, 'reoffering')
})

for (const status of [405, 501]) {
  test(`a peer that refuses UPDATE with ${status} is refreshed by re-INVITE`, () => {
    const { rig } = talking([expires('90;refresher=uac'), ALLOW_UPDATE])
    rig.pass(45_000)
    rig.answer(rig.sent('b1', 'UPDATE').key, status)
    assert.equal(count(rig, 'b1', 'INVITE'), 2)
  })
}

test('who listens to the echo is refreshed as well', () => {
  const rig = new CallRig()
  rig.offer({ decision: { kind: 'builtin', builtin: 'echo' }, headers: [MAX_FORWARDS, SUPPORTED] })
  rig.ack('a')
  rig.pass(900_000)
  const again = rig.sent('a')
  assert.match(again.request.body, /m=audio/)
  rig.answer(again.key, 200, { sdp: phoneSdp(), headers: [expires('1800;refresher=uac')] })
  assert.equal(rig.state.phase, 'talking')
})

const ROLES: readonly (readonly [what: string, asked: string | undefined, knows: boolean, told: string | undefined])[] =
  [
    ['asks and does not say who refreshes', '600', true, '600;refresher=uac'],
    ['wants to refresh', '600;refresher=uac', true, '600;refresher=uac'],
    ['wants us to refresh', '600;refresher=uas', true, '600;refresher=uas'],
    ['knows timers and asks for none', undefined, true, '1800;refresher=uas'],
    ['knows none, behind a proxy that asks', '600', false, '600;refresher=uas'],
    ['knows none', undefined, false, undefined],
  ]
for (const [what, asked, knows, told] of ROLES) {
  test(`RFC 4028 §9: a caller that ${what} gets ${told ?? 'no timer'}`, () => {
    const { rig, invite } = talking(
      [],
      [...(knows ? [SUPPORTED] : []), ...(asked === undefined ? [] : [expires(asked)]), ALLOW_UPDATE],
    )
    const { headers } = rig.final(invite)
    assert.equal(headers.get('Session-Expires'), told)
    assert.equal(headers.values('Require').includes('timer'), told?.endsWith('uac') === true)
    rig.pass(told?.startsWith('1800') === true ? 900_000 : 300_000)
    assert.equal(count(rig, 'a', 'UPDATE'), told?.endsWith('uas') === true ? 1 : 0)
  })
}

test('RFC 4028 §9: our interval is not below the Min-SE of a caller', () => {
  const { rig, invite } = talking([], [SUPPORTED, { name: 'Min-SE', value: '3600' }])
  assert.equal(rig.final(invite).headers.get('Session-Expires'), '3600;refresher=uas')
})

test('RFC 4028 §5: an interval below the configured least is refused with 422 and Min-SE', () => {
  const rig = new CallRig({ sessionTimer: { seconds: 1_800, minSeconds: 300 } })
  const invite = rig.offer({ headers: [MAX_FORWARDS, SUPPORTED, expires('299')] })
  assert.equal(rig.final(invite).status, 422)
  assert.equal(rig.final(invite).headers.get('Min-SE'), '300')
})

test('the session runs from the answer, not from the first ringing', () => {
  const rig = new CallRig()
  rig.offer({ headers: [MAX_FORWARDS, SUPPORTED, expires('90')] })
  rig.answer(rig.sent('b1').key, 180)
  rig.pass(59_000)
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  rig.pass(59_999)
  assert.equal(rig.state.phase, 'talking')
})

test('RFC 4028 §7.4: a 422 is obeyed: the INVITE goes out again with the interval that is wanted', () => {
  const rig = new CallRig()
  const invite = rig.offer()
  const first = rig.sent('b1')
  rig.answer(first.key, 422, { headers: [{ name: 'Min-SE', value: '3600' }] })
  const second = rig.sent('b1')
  assert.notEqual(second.key, first.key)
  const { headers } = second.request
  assert.equal(headers.get('Session-Expires'), '3600')
  assert.equal(headers.get('Min-SE'), '3600')
  assert.equal(headers.cseq.sequence, 2)
  assert.equal(headers.callId, first.request.headers.callId)
  assert.equal(second.request.body, first.request.body)
  rig.answer(second.key, 200, { sdp: BOB_SDP, headers: [expires('3600;refresher=uas')] })
  assert.equal(rig.final(invite).status, 200)
})

for (const [what, answers] of [
  ['names no interval', [undefined]],
  ['wants less than we asked for', ['100']],
  ['wants more than a day', ['86401']],
  ['wants more each time', ['2000', '2001', '2002', '2003']],
] as const) {
  test(`a 422 that ${what} is a failure of the branch`, () => {
    const rig = new CallRig()
    const invite = rig.offer()
    for (const least of answers) {
      const headers = least === undefined ? [] : [{ name: 'Min-SE', value: least }]
      rig.answer(rig.sent('b1').key, 422, { headers })
    }
    assert.equal(rig.final(invite).status, 500)
    rig.settle()
    assert.equal(rig.state.phase, 'ended')
  })
}

test('a 422 to our refresh is obeyed as well', () => {
  const { rig } = talking([expires('90;refresher=uac'), ALLOW_UPDATE])
  rig.pass(45_000)
  rig.answer(rig.sent('b1', 'UPDATE').key, 422, { headers: [{ name: 'Min-SE', value: '300' }] })
  assert.equal(rig.sent('b1', 'UPDATE').request.headers.get('Session-Expires'), '300;refresher=uac')
  rig.answer(rig.sent('b1', 'UPDATE').key, 200, { headers: [expires('300;refresher=uac')] })
  rig.pass(150_000)
  assert.equal(count(rig, 'b1', 'UPDATE'), 3)
})

test('a caller that gave up while the INVITE is made longer is not called for again', () => {
  const rig = new CallRig()
  const key = rig.offer()
  rig.event({ kind: 'cancelled', key, request: rig.fromCaller('CANCEL') })
  rig.answer(rig.sent('b1').key, 422, { headers: [{ name: 'Min-SE', value: '3600' }] })
  assert.equal(count(rig, 'b1', 'INVITE'), 1)
  assert.equal(rig.state.phase, 'ended')
})
