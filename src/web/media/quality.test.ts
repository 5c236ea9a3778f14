import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readQuality, type StatsLike } from './quality.ts'

const report = (packetsReceived: number, packetsLost: number): readonly StatsLike[] => [
  { id: 'C1', type: 'codec', mimeType: 'audio/PCMU' },
  { id: 'P1', type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.004 },
  { id: 'I1', type: 'inbound-rtp', kind: 'audio', codecId: 'C1', packetsReceived, packetsLost, jitter: 0.0125 },
]

test('codec, jitter and round trip come out in milliseconds', () => {
  const quality = readQuality(report(100, 0), undefined)
  assert.deepEqual(quality, {
    codec: 'PCMU',
    packetsReceived: 100,
    packetsLost: 0,
    lossFraction: 0,
    jitterMs: 12.5,
    roundTripMs: 4,
  })
})

test('loss of the last second weighs in and fades', () => {
  const first = readQuality(report(100, 0), undefined)
  const burst = readQuality(report(140, 10), first)
  const after = readQuality(report(190, 10), burst)
  assert.ok(burst !== undefined && Math.abs(burst.lossFraction - 0.3 * 0.2) < 1e-9)
  assert.ok(after !== undefined && after.lossFraction < burst.lossFraction)
})

test('before any media there is nothing to say', () => {
  assert.equal(readQuality([{ id: 'T', type: 'transport' }], undefined), undefined)
})
