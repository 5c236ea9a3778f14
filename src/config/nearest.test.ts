import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

const cases: readonly (readonly [word: string, meant: string | undefined])[] = [
  ['lisen', 'listen'],
  ['Listen', 'listen'],
  ['tenent', 'tenants'],
  ['meida', 'media'], // Two swapped letters are one slip.
  ['store', 'store'],
  ['zebra', undefined],
  ['', undefined],
]

for (const [word, meant] of cases) {
  test(`${word || '(nothing)'} means ${meant ?? 'nothing known'}`, () => {
    assert.equal(nearest(word, ['listen', 'media', 'store', 'tenants']), meant)
  })
}
