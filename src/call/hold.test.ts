import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOB_SDP, CallRig } from '../../test/support/call-rig.ts'
import { browserSdp, phoneSdp } from '../../test/support/sdp-texts.ts'

const BOB = { address: '198.51.100.8', port: 31_000, payloads: [0, 101] }

function talking(sdp = phoneSdp(), transport: 'udp' | 'ws' = 'udp'): CallRig {
  const rig = new CallRig()
  rig.offer({ sdp, transport })
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  return rig
}

/** `c=` of the whole session instead of the media. */
const nowhere = (sdp: string): string => sdp.replace(/c=IN IP4 [\d.]+/, 'c=IN IP4 0.0.0.0')

for (const [how, sdp, told] of [
  ['a=sendonly', phoneSdp({ version: 2, direction: 'sendonly' }), 'sendonly'],
  ['a=inactive', phoneSdp({ version: 2, direction: 'inactive' }), 'inactive'],
  ['c=0.0.0.0 (RFC 2543)', nowhere(phoneSdp({ version: 2 })), 'sendonly'],
  ['c=0.0.0.0 and a=sendonly', nowhere(phoneSdp({ version: 2, direction: 'sendonly' })), 'sendonly'],
  ['c=0.0.0.0 and a=inactive', nowhere(phoneSdp({ version: 2, direction: 'inactive' })), 'inactive'],
  ['c=0.0.0.0 and a=recvonly', nowhere(phoneSdp({ version: 2, direction: 'recvonly' })), 'inactive'],
] as const) {
  test(`hold by ${how} reaches the other side as ${told}, silences both, and ends with the next offer`, () => {
    const rig = talking()
    const hold = rig.request('a', 'INVITE', { sdp })
    const relayed = rig.sent('b1')
    assert.match(relayed.request.body, new RegExp(`a=${told}\\r\\n`))
    const answered = told === 'sendonly' ? 'recvonly' : 'inactive'
    rig.answer(relayed.key, 200, { sdp: phoneSdp({ ...BOB, version: 2, direction: answered }) })
    assert.equal(rig.final(hold).status, 200)
    assert.equal(rig.state.legs.a?.holds, true)
    const remote = rig.changes.findLast((change) => change.kind === 'remote' && change.side === 'a')
    assert.equal(remote?.kind === 'remote' && remote.remote.media[0]?.send, false, 'nothing is sent to who holds')
    rig.ack('a')

    const resume = rig.request('a', 'INVITE', { sdp: phoneSdp({ version: 3 }) })
    rig.answer(rig.sent('b1').key, 200, { sdp: phoneSdp({ ...BOB, version: 3 }) })
    assert.equal(rig.final(resume).status, 200)
    assert.equal(rig.state.legs.a?.holds, false)
    const again = rig.changes.findLast((change) => change.kind === 'remote' && change.side === 'a')
    assert.equal(again?.kind === 'remote' && again.remote.media[0]?.send, true)
  })
}

test('the c=0.0.0.0 of a browser is no hold: its media goes where ICE says (RFC 8829 §5.2.1)', () => {
  const rig = talking(browserSdp(), 'ws')
  assert.equal(rig.state.legs.a?.holds, false)
  rig.request('a', 'INVITE', { sdp: browserSdp({ version: 3 }) })
  assert.equal(rig.state.legs.a?.holds, false)
  rig.request('a', 'INVITE', { sdp: browserSdp({ version: 4, direction: 'sendonly' }) })
  assert.match(rig.sent('b1').request.body, /a=sendonly\r\n/)
})
