import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PortPool } from './port-pool.ts'

test('pairs are even, inside the range, and each is given once', () => {
  const pool = new PortPool({ from: 20_001, to: 20_010 }, 30_000, 0.5)
  const taken = [pool.take(0), pool.take(0), pool.take(0), pool.take(0)]
  assert.deepEqual([...taken].sort(), [20_002, 20_004, 20_006, 20_008])
  assert.equal(pool.take(0), undefined)
})

test('a range without room for a pair gives nothing', () => {
  assert.equal(new PortPool({ from: 20_000, to: 20_000 }, 30_000, 0).take(0), undefined)
  assert.equal(new PortPool({ from: 20_000, to: 19_000 }, 30_000, 0).take(0), undefined)
})

test('a released pair rests, even if it is the only one', () => {
  const pool = new PortPool({ from: 20_000, to: 20_001 }, 30_000, 0)
  assert.equal(pool.take(0), 20_000)
  pool.release(20_000, 5_000)
  assert.equal(pool.take(5_001), undefined)
  assert.equal(pool.take(8_000), 20_000)
})

test('law: a pair in use is never given again, and the longest rested comes first', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (script, startAt) => {
      const pool = new PortPool({ from: 10_000, to: 10_011 }, 100, startAt)
      const used: number[] = []
      script.forEach((step, index) => {
        const now = index * 5
        if (step < 6) {
          const port = pool.take(now)
          if (port === undefined) return
          assert.ok(!used.includes(port))
          used.push(port)
        } else if (used.length > 0) {
          pool.release(used.splice(step % used.length, 1)[0] ?? 0, now)
        }
        assert.equal(pool.idle + used.length, 6)
      })
    }),
  )
})
