import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultThreads, placesOf } from './places.ts'

test('generators and relay share a core only when there are too few', () => {
  assert.deepEqual(placesOf(1, 2), { relay: [1], generators: [0], shared: false })
  assert.deepEqual(placesOf(2, 2), { relay: [0, 1], generators: [0, 1], shared: true })
  assert.deepEqual(placesOf(4, 16), { relay: [12, 13, 14, 15], generators: [0, 1, 2, 3], shared: false })
})

test('threads double up to the number of cores', () => {
  assert.deepEqual(defaultThreads(1), [1])
  assert.deepEqual(defaultThreads(2), [1, 2])
  assert.deepEqual(defaultThreads(12), [1, 2, 4, 8, 12])
})
