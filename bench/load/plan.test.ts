import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallWish, EndPlace, Mode, OpenCall } from './model.ts'
import { directEnds, endsOf, type PhonePorts, wishes } from './plan.ts'

const RELAY = '198.18.0.2'

function opened(mode: Mode, phonePorts: PhonePorts): OpenCall[] {
  const wished = wishes({ mode, calls: 40, address: '198.18.0.1', phonePorts, fingerprint: 'AB:CD' })
  return wished.map((wish, n) => ({ wish, places: [placeOf(wish, 0, n), placeOf(wish, 1, n)] }))
}

function placeOf(wish: CallWish, side: 0 | 1, n: number): EndPlace {
  const relay = { address: RELAY, port: 20_000 + 2 * n + side }
  const { key, webrtc } = wish.ends[side]
  return {
    relay,
    ...(key && { key: { suite: key.suite, key: 'theirs' } }),
    ...(webrtc && { webrtc: { ufrag: 'u', pwd: 'p', fingerprint: { algorithm: 'sha-256', value: 'EF' } } }),
  }
}

for (const mode of ['srtp-rtp', 'rtp-rtp', 'webrtc-rtp'] as const) {
  test(`${mode}: what an end sends is meant for the other end of its call`, () => {
    const ends = endsOf(opened(mode, 'own'))
    assert.equal(ends.length, 80)
    for (const [n, end] of ends.entries()) assert.equal(ends[end.peer]?.peer, n)
    assert.equal(new Set(ends.map(({ bind }) => bind)).size, 80)
  })
}

test('keys are new for each call, and each end opens with what the relay protects with', () => {
  const ends = endsOf(opened('srtp-rtp', 'own')).filter(({ srtp }) => srtp !== undefined)
  assert.equal(ends.length, 40)
  assert.equal(new Set(ends.map(({ srtp }) => srtp?.send.key)).size, 40)
  assert.ok(ends.every(({ srtp }) => srtp?.receive.key === 'theirs'))
})

test('phones that share ports are still told apart by where the relay sends from', () => {
  const ends = endsOf(opened('rtp-rtp', 'shared'))
  assert.equal(new Set(ends.map(({ bind }) => bind)).size, 16)
  assert.equal(new Set(ends.map(({ bind, remote }) => `${bind} ${remote}`)).size, 80)
})

test('WebRTC clients have a port each, also where phones share', () => {
  const ends = endsOf(opened('webrtc-rtp', 'shared'))
  assert.equal(new Set(ends.filter(({ webrtc }) => webrtc !== undefined).map(({ bind }) => bind)).size, 40)
  assert.equal(new Set(ends.map(({ bind }) => bind)).size, 40 + 8)
})

test('both processes of the direct path number the ends alike', () => {
  const { senders, receivers } = directEnds(10, '198.18.0.1', RELAY)
  assert.deepEqual(
    senders.map(({ peer }) => peer),
    receivers.map(({ peer }) => peer),
  )
  for (const [n, { remote, peer }] of senders.slice(0, 10).entries()) {
    assert.equal(remote, receivers[peer]?.bind)
    assert.equal(receivers[n]?.bind, undefined)
  }
})
