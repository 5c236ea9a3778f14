import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RtpHeader } from './packet.ts'
import { createRtpReceiver } from './receiver.ts'

function stream() {
  const receiver = createRtpReceiver()
  const packet = (sequence: number, timestamp: number, now: number, ssrc = 1) => {
    const header: RtpHeader = {
      marker: false,
      payloadType: 0,
      sequence: sequence & 0xffff,
      timestamp: timestamp >>> 0,
      ssrc,
      payloadOffset: 12,
      payloadEnd: 172,
    }
    return receiver.onPacket(header, 172, 8_000, now)
  }
  return { receiver, packet }
}

for (const start of [0, 0x7ffe, 0xfffd]) {
  test(`RFC 3550 A.3: losses are counted across the wrap, from ${start}`, () => {
    const { receiver, packet } = stream()
    for (const n of [0, 1, 2, 4, 5, 9]) packet(start + n, n * 160, n * 20)
    assert.equal(receiver.packetsReceived, 6)
    assert.equal(receiver.packetsLost, 4)
    assert.equal(receiver.report()?.highestSequence, start + 9)
    packet(start + 3, 480, 200)
    assert.equal(receiver.packetsLost, 3)
  })
}

test('the loss fraction counts from the report before', () => {
  const { receiver, packet } = stream()
  for (const n of [0, 1, 3]) packet(n, n * 160, n * 20)
  assert.equal(receiver.report()?.lossFraction, 0.25)
  for (const n of [4, 5]) packet(n, n * 160, n * 20)
  const report = receiver.report()
  assert.equal(report?.lossFraction, 0)
  assert.equal(report?.packetsLost, 1)
})

test('duplicates make the loss negative', () => {
  const { receiver, packet } = stream()
  packet(1, 0, 0)
  packet(1, 0, 0)
  assert.equal(receiver.packetsLost, -1)
})

test('RFC 3550 A.1: a jump is believed with the second packet, and is not a loss', () => {
  const { receiver, packet } = stream()
  packet(1, 0, 0)
  assert.equal(packet(20_000, 160, 20), false)
  assert.equal(packet(20_001, 320, 40), true)
  assert.equal(receiver.packetsLost, 0)
  assert.equal(receiver.packetsReceived, 2)
})

test('another SSRC starts anew; the totals go on', () => {
  const { receiver, packet } = stream()
  packet(1, 0, 0)
  packet(3, 320, 40)
  packet(50_000, 7, 60, 2)
  assert.equal(receiver.ssrc, 2)
  assert.equal(receiver.packetsLost, 1)
  assert.equal(receiver.packetsReceived, 3)
  assert.equal(receiver.bytesReceived, 3 * 172)
  assert.equal(receiver.report()?.packetsLost, 0)
})

for (const start of [0, 0x7fff_ffff, 0xffff_ffff - 159]) {
  test(`RFC 3550 A.8: steady spacing has no jitter across the wrap, from ${start}`, () => {
    const { receiver, packet } = stream()
    for (let n = 0; n < 50; n++) packet(n, start + n * 160, 1_000 + n * 20)
    assert.equal(receiver.jitterMs, 0)
  })
}

test('RFC 3550 A.8: one packet 16 ms late adds a sixteenth, and so does its return', () => {
  const { receiver, packet } = stream()
  packet(0, 0, 0)
  packet(1, 160, 36)
  assert.equal(receiver.jitterMs, 1)
  packet(2, 320, 40)
  assert.equal(receiver.jitterMs, 1 + (16 - 1) / 16)
})

test('packets that share a timestamp, and a source that begins anew, say nothing about the network', () => {
  const { receiver, packet } = stream()
  packet(0, 0, 0)
  for (let n = 1; n < 8; n++) packet(n, 160, 20 * n)
  packet(8, 3_000_000_000, 160)
  packet(9, 3_000_000_160, 180)
  assert.equal(receiver.jitterMs, 0)
})
