import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bestOutcome, mayTryNext, statusForCaller } from './status.ts'

for (const status of [403, 404, 408, 410, 480, 484, 486, 487, 488, 500, 502, 503, 504, 600, 603, 604]) {
  test(`a branch's ${status} reaches the caller as ${status}`, () => assert.equal(statusForCaller(status), status))
}

const mapped: readonly (readonly [branch: number, caller: number])[] = [
  [302, 480],
  [401, 503],
  [407, 503],
  [415, 488],
  [420, 500],
  [481, 500],
  [606, 488],
]
for (const [branch, caller] of mapped) {
  test(`a branch's ${branch} is not the caller's matter and becomes ${caller}`, () =>
    assert.equal(statusForCaller(branch), caller))
}

const choices: readonly (readonly [statuses: readonly number[], best: number])[] = [
  [[486], 486],
  [[480, 486], 480], // Equal rank: the first that came.
  [[503, 486], 486], // The lower class.
  [[486, 603, 480], 603], // A 6xx counts for all.
  [[404, 302], 302],
  [[486, 484], 484], // Says how to ask again.
]
for (const [statuses, best] of choices) {
  test(`RFC 3261 §16.7 step 6: of ${statuses.join(', ')} the best is ${best}`, () => {
    assert.equal(bestOutcome(statuses.map((status) => ({ status, told: [] })))?.status, best)
  })
}

test('the next target of a trunk is tried after server failures and silence, not after a refusal', () => {
  assert.deepEqual([408, 500, 503, 404, 486, 603].map(mayTryNext), [true, true, true, false, false, false])
})
