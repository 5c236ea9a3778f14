import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeG711, type G711Law } from './g711.ts'
import { createTone, toneLevel } from './tone.ts'

for (const law of ['PCMU', 'PCMA'] as const satisfies readonly G711Law[]) {
  test(`the tone in ${law} is heard at its frequency and nowhere else`, () => {
    const samples = play(1_004, law, 25)
    assert.ok(toneLevel(samples, 1_004, 8_000) > 0.98)
    for (const other of [440, 941, 1_100, 2_008]) assert.ok(toneLevel(samples, other, 8_000) < 0.01, `${other} Hz`)
  })

  test(`the tone in ${law} has -16 dBm0 and no edges between frames`, () => {
    const samples = play(1_004, law, 100)
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
    const fullScaleSine = 32_124 ** 2 / 2
    const level = 3.17 + 10 * Math.log10(power / fullScaleSine)
    assert.ok(Math.abs(level + 16) < 0.3, `${level.toFixed(2)} dBm0`)
    const steepest = Math.max(...samples.map((sample, i) => Math.abs(sample - (samples[i - 1] ?? sample))))
    assert.ok(steepest < 3_700, `a step of ${steepest}`)
  })
}

test('silence has no tone', () => {
  assert.equal(toneLevel(new Int16Array(160), 1_004, 8_000), 0)
})

function play(frequencyHz: number, law: G711Law, frames: number): Int16Array {
  const tone = createTone(frequencyHz)
  const bytes = Array.from({ length: frames }, () => tone.next(law))
  assert.ok(bytes.every((frame) => frame.length === tone.ticks && tone.ticks === 160))
  return decodeG711(law, Buffer.concat(bytes))
}
