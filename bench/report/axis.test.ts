import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { axis, type Scale } from './axis.ts'

const value = fc.double({ min: 0.001, max: 1e6, noNaN: true })

for (const scale of ['linear', 'log'] as const satisfies readonly Scale[]) {
  test(`law: on a ${scale} axis values and ticks lie between its ends, in order`, () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
        const { at, ticks } = axis(values, { scale, from: 10, to: 110 })
        for (const each of [...values, ...ticks.map((tick) => tick.value)]) {
          assert.ok(at(each) >= 10 - 1e-6 && at(each) <= 110 + 1e-6, `${each} is at ${at(each)}`)
        }
        const [low = 0, high = 0] = [Math.min(...values), Math.max(...values)]
        assert.ok(at(low) <= at(high))
        assert.ok(ticks.length >= 1 && ticks.length <= 14, `${ticks.length} ticks`)
      }),
    )
  })
}

test('an axis of nines has a tick for each step that is ten times rarer', () => {
  const { ticks } = axis([0, 3.4], { scale: 'nines', from: 0, to: 100 })
  assert.deepEqual(
    ticks.map((tick) => tick.label),
    ['0 %', '90 %', '99 %', '99.9 %', '99.99 %'],
  )
})
