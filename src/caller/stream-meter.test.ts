import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StreamMeter } from './stream-meter.ts'

const packet = (n: number, start = 0) => ({
  sequence: (start + n) & 0xffff,
  timestamp: (n * 160) >>> 0,
  atMs: n * 20,
})

for (const start of [0, 0x7fff, 0xfff0, 0xffff]) {
  test(`a steady stream from sequence ${start} has no loss, no reordering and no jitter`, () => {
    const meter = new StreamMeter(8_000)
    for (let n = 0; n < 100; n++) meter.onPacket(packet(n, start))
    assert.deepEqual(meter.report(), { received: 100, lost: 0, reordered: 0, duplicated: 0, jitterMs: 0 })
  })
}

test('a gap is loss until it is filled, then it is reordering', () => {
  const meter = new StreamMeter(8_000)
  for (const n of [0, 1, 3]) meter.onPacket(packet(n))
  assert.equal(meter.report().lost, 1)
  meter.onPacket(packet(2))
  const { lost, reordered } = meter.report()
  assert.deepEqual({ lost, reordered }, { lost: 0, reordered: 1 })
})

test('law: whatever is left out or repeated, received and lost add up to what was sent between the ends', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 150 }),
      fc.integer({ min: 0, max: 0xffff }),
      (dropped, start) => {
        const meter = new StreamMeter(8_000)
        for (let n = 0; n <= 201; n++) if (!dropped.includes(n)) meter.onPacket(packet(n, start))
        const { received, lost } = meter.report()
        assert.equal(received + lost, 202)
        assert.equal(lost, dropped.length)
      },
    ),
  )
})
