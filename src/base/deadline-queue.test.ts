import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDeadlineQueue } from './deadline-queue.ts'

const operations = fc.array(
  fc.record({ key: fc.integer({ min: 0, max: 20 }), at: fc.option(fc.integer({ min: 0, max: 1000 })) }),
  { maxLength: 400 },
)

test('law: keys come out once each, at their last time, earliest first', () => {
  fc.assert(
    fc.property(operations, (sets) => {
      const queue = createDeadlineQueue()
      const wanted = new Map<string, number>()
      for (const { key, at } of sets) {
        queue.set(`k${key}`, at ?? undefined)
        if (at === null) wanted.delete(`k${key}`)
        else wanted.set(`k${key}`, at)
      }
      const times: number[] = []
      for (let next = queue.next(); next !== undefined; next = queue.next()) {
        const key = queue.due(next)
        assert.equal(wanted.get(key ?? ''), next)
        wanted.delete(key ?? '')
        times.push(next)
      }
      assert.equal(wanted.size, 0)
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      )
    }),
  )
})

test('nobody is woken before the time', () => {
  const queue = createDeadlineQueue()
  queue.set('call', 100)
  assert.equal(queue.due(99), undefined)
  assert.equal(queue.due(100), 'call')
  assert.equal(queue.due(100), undefined)
})
