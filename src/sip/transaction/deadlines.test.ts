import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Millis } from '../../base/index.ts'
import { Deadlines, type Sleeper } from './deadlines.ts'

class Nap implements Sleeper {
  wakeAt: Millis | undefined
  at: Millis | undefined
  constructor(at: Millis) {
    this.at = at
  }
  deadline(): Millis | undefined {
    return this.at
  }
}

test('who has ended before anybody asked for a deadline is not kept', () => {
  const deadlines = new Deadlines()
  const nap = new Nap(500)
  deadlines.update(nap)
  nap.at = undefined
  assert.equal(deadlines.next(), undefined)
  assert.equal(nap.wakeAt, undefined)
})

test('law: each sleeper is woken once its deadline has come, earlier and later changes included', () => {
  const move = fc.record({ who: fc.nat(9), to: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }) })
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000), { minLength: 10, maxLength: 10 }),
      fc.array(move, { maxLength: 40 }),
      (starts, moves) => {
        const deadlines = new Deadlines()
        const naps = starts.map((at) => new Nap(at))
        for (const nap of naps) deadlines.update(nap)
        for (const { who, to } of moves) {
          const nap = naps[who]
          assert.ok(nap)
          nap.at = to
          deadlines.update(nap)
        }
        const earliest = Math.min(...naps.map(({ at }) => at ?? Number.POSITIVE_INFINITY))
        assert.ok((deadlines.next() ?? Number.POSITIVE_INFINITY) <= earliest)
        for (const now of [250, 500, 1_000]) {
          const woken = new Set<Sleeper>()
          for (let due = deadlines.due(now); due !== undefined; due = deadlines.due(now)) {
            assert.ok(!woken.has(due), 'woken twice')
            woken.add(due)
            ;(due as Nap).at = undefined
            deadlines.update(due)
          }
          assert.deepEqual(
            naps.filter(({ at }) => at !== undefined && at <= now),
            [],
          )
        }
        assert.equal(deadlines.next(), undefined)
      },
    ),
  )
})
