import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceLatch } from './source-latch.ts'

function latched(policy: 'strict' | 'same-ip' = 'same-ip'): SourceLatch {
  const latch = new SourceLatch(policy)
  latch.signal('192.0.2.1', 4_000)
  return latch
}

function at(port: number, address = '192.0.2.1') {
  return { address, port }
}

test('the signalled address is taken at once, another IP address never', () => {
  const latch = latched()
  assert.ok(latch.mayBe('192.0.2.1', 4_000))
  assert.ok(latch.accepts(at(4_000), 1, 1, 0))
  assert.ok(!latch.mayBe('192.0.2.2', 4_000))
})

test('before anything was signalled nobody is taken', () => {
  assert.ok(!new SourceLatch('same-ip').mayBe('192.0.2.1', 4_000))
  assert.ok(!new SourceLatch('same-ip').mayBe('', 0))
})

test('another port is followed after four packets in a row of one SSRC', () => {
  const latch = latched()
  assert.deepEqual(
    [65_534, 65_535, 0].map((sequence) => latch.accepts(at(5_000), 7, sequence, 0)),
    [false, false, false],
  )
  assert.equal(latch.port, 4_000)
  assert.ok(latch.accepts(at(5_000), 7, 1, 0))
  assert.equal(latch.port, 5_000)
  assert.ok(latch.accepts(at(5_000), 7, 9, 0), 'a later gap is only loss')
})

test('gaps, a change of SSRC or the right peer in between start the count anew', () => {
  const latch = latched()
  for (const [port, ssrc, sequence] of [
    [5_000, 7, 1],
    [5_000, 7, 2],
    [5_000, 7, 3],
    [5_000, 7, 5],
    [5_000, 8, 6],
    [5_000, 8, 7],
    [5_000, 8, 8],
    [4_000, 1, 1],
    [5_000, 8, 9],
  ] as const) {
    latch.accepts(at(port), ssrc, sequence, 0)
  }
  assert.equal(latch.port, 4_000)
})

test('the signalled port stays welcome after another one was followed, and can win again once that is quiet', () => {
  const latch = latched()
  for (let n = 0; n < 4; n++) latch.accepts(at(5_000), 7, n, 0)
  assert.ok(latch.accepts(at(4_000), 1, 10, 20))
  assert.equal(latch.port, 5_000)
  for (let n = 11; n < 40; n++) latch.accepts(at(4_000), 1, n, n * 20)
  assert.equal(latch.port, 4_000)
})

test('RTP Bleed: nobody at the same address takes over from a source that is alive, however fast they send', () => {
  const latch = latched()
  for (let n = 0; n < 100; n++) {
    assert.ok(latch.accepts(at(4_000), 1, n, n * 20))
    for (let burst = 0; burst < 50; burst++) {
      assert.ok(!latch.accepts(at(5_000), 7, n * 50 + burst, n * 20 + 1))
    }
  }
  assert.equal(latch.port, 4_000)
})

test('a peer whose NAT gave it a new port in the middle of a call is followed half a second later', () => {
  const latch = latched()
  for (let n = 0; n < 10; n++) latch.accepts(at(4_000), 7, n, n * 20)
  const taken = Array.from({ length: 30 }, (_, n) => latch.accepts(at(5_000), 7, 10 + n, 200 + n * 20))
  assert.equal(taken.indexOf(true), 24)
  assert.equal(latch.port, 5_000)
})

test('a new SDP counts, the same one again does not forget', () => {
  const latch = latched()
  for (let n = 0; n < 4; n++) latch.accepts(at(5_000), 7, n, 0)
  latch.signal('192.0.2.1', 4_000)
  assert.equal(latch.port, 5_000)
  latch.signal('192.0.2.9', 4_000)
  assert.equal(latch.port, 4_000)
  assert.ok(!latch.mayBe('192.0.2.1', 5_000))
})

test('strict: no other port, whatever it sends', () => {
  const latch = latched('strict')
  assert.ok(!latch.mayBe('192.0.2.1', 5_000))
})

test('media from where the signalling comes from is followed after the same proof', () => {
  const latch = new SourceLatch('same-ip', '198.51.100.9')
  latch.signal('10.0.0.5', 4_000)
  const behindNat = at(61_000, '198.51.100.9')
  assert.ok(latch.mayBe(behindNat.address, behindNat.port))
  assert.ok(!latch.mayBe('203.0.113.1', 4_000))
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((sequence) => latch.accepts(behindNat, 7, sequence, 0)),
    [false, false, false, true, true],
  )
  assert.deepEqual([latch.address, latch.port], ['198.51.100.9', 61_000])
})

test('strict means the signalled place only', () => {
  const latch = new SourceLatch('strict', '198.51.100.9')
  latch.signal('10.0.0.5', 4_000)
  assert.ok(!latch.mayBe('198.51.100.9', 4_000))
  assert.ok(latch.mayBe('10.0.0.5', 4_000))
})
