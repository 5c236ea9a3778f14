import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReplayWindow } from './replay-window.ts'

test('an index is new once; older than the window it is never new', () => {
  const window = new ReplayWindow(64)
  window.add(1_000)
  assert.equal(window.isNew(1_000), false)
  assert.equal(window.isNew(937), true)
  assert.equal(window.isNew(936), false)
  window.add(937)
  assert.equal(window.isNew(937), false)
  window.add(10_000)
  assert.equal(window.isNew(1_000), false)
  assert.equal(window.isNew(9_999), true)
})

test('law: it agrees with a set of everything seen', () => {
  const steps = fc.array(fc.integer({ min: -200, max: 200 }), { maxLength: 300 })
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 65_500, 2 ** 32 - 50, 2 ** 47), (distances, start) => {
      const window = new ReplayWindow(96)
      const seen = new Set<number>()
      let highest = -1
      for (const distance of distances) {
        const index = Math.max(0, (highest < 0 ? start : highest) + distance)
        const expected = index > highest || (index > highest - 96 && !seen.has(index))
        assert.equal(window.isNew(index), expected)
        window.add(index)
        seen.add(index)
        highest = Math.max(highest, index)
        assert.equal(window.highest, highest)
      }
    }),
  )
})
