import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disconnectWords, endOutcome, failureOutcome, registrationFailureWords } from './outcome.ts'

const failures: readonly (readonly [status: number, words: RegExp])[] = [
  [404, /nobody with that number/],
  [480, /Not available/],
  [486, /Busy/],
  [488, /no codec/],
  [603, /declined/],
  [599, /599 Strange/], // Not in the table: the sender's own words.
]

for (const [status, words] of failures) {
  test(`a call refused with ${status} says so in words and keeps the number`, () => {
    const outcome = failureOutcome({ originator: 'remote', cause: 'SIP Failure Code', status, reasonPhrase: 'Strange' })
    assert.match(outcome.words, words)
    assert.match(outcome.words, new RegExp(String(status)))
    assert.equal(outcome.problem, true)
  })
}

test('a call we cancelled ourselves is no problem', () => {
  assert.deepEqual(failureOutcome({ originator: 'local', cause: 'Canceled' }), { words: 'Cancelled.', problem: false })
})

test('who hung up is said', () => {
  assert.match(endOutcome({ originator: 'remote', cause: 'Terminated' }).words, /other side/)
  assert.match(endOutcome({ originator: 'local', cause: 'Terminated' }).words, /You/)
})

test('a wrong password and a gateway that is away read differently', () => {
  assert.match(registrationFailureWords({ cause: 'Rejected', status: 403 }), /password/)
  assert.match(registrationFailureWords({ cause: 'Request Timeout' }), /did not answer/)
  assert.match(disconnectWords({ code: 1006 }), /cannot be reached/)
  assert.match(disconnectWords({ code: 1008, reason: 'sip only' }), /refused.*sip only/)
})
