import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loudness } from './level.ts'

const sine = (amplitude: number): Float32Array =>
  Float32Array.from({ length: 960 }, (_, n) => amplitude * Math.sin((2 * Math.PI * n) / 96))

test('silence is 0 and a full-scale sine is near 1', () => {
  assert.equal(loudness(new Float32Array(1024)), 0)
  assert.ok(loudness(sine(1)) > 0.94)
})

test('20 dB less is a third of the scale less', () => {
  assert.ok(Math.abs(loudness(sine(0.5)) - loudness(sine(0.05)) - 1 / 3) < 0.01)
})
