import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Distribution } from './distribution.ts'
import type { LoadSummary } from './generator.ts'

function summary(...buckets: [number, number][]): LoadSummary {
  const count = buckets.reduce((sum, [, each]) => sum + each, 0)
  return { count, mean: 0, p50: 0, p99: 0, p999: 0, max: buckets.at(-1)?.[0] ?? 0, buckets }
}

test('percentiles are of all histograms together, by nearest rank', () => {
  const both = Distribution.of([summary([10, 50], [40, 49]), summary([20, 100], [900, 1])])
  assert.equal(both.count, 200)
  assert.deepEqual(
    [0.25, 0.5, 0.75, 0.995, 1].map((at) => both.percentile(at)),
    [10, 20, 20, 40, 900],
  )
})

test('a curve ends where the number of values does', () => {
  const { points } = Distribution.of([summary([5, 999], [70, 1])]).curve('all')
  assert.deepEqual(points.at(0), [0, 5])
  assert.ok((points.at(-1)?.[0] ?? 9) <= 3)
})

test('no values, no points', () => {
  assert.equal(Distribution.of([]).percentile(0.99), 0)
  assert.deepEqual(Distribution.of([summary()]).curve('none').points, [])
})
