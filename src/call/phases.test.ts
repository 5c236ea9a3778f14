import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CALL, PHASES, reaches } from './phases.ts'

for (const phase of PHASES) {
  test(`law: a call in ${phase} can always end`, () => assert.ok(reaches(phase, 'ended')))
}

test('law: somebody can hang up in every phase before the ending', () => {
  for (const phase of PHASES) {
    if (phase === 'ending' || phase === 'ended') continue
    assert.equal(CALL[phase].hungup, 'ending', phase)
  }
})

test('law: an ended call stays ended', () => assert.deepEqual(CALL.ended, {}))
