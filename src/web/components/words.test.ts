import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PhoneState, Quality } from '../phone/model.ts'
import { qualityWords } from './call-card.tsx'
import { formatDuration } from './clock.tsx'
import { lineStatus } from './status-bar.tsx'

const durations: readonly (readonly [ms: number, words: string])[] = [
  [0, '0:00'],
  [59_999, '0:59'],
  [60_000, '1:00'],
  [3_599_000, '59:59'],
  [3_723_000, '1:02:03'],
]
for (const [ms, words] of durations) {
  test(`${ms} ms of talk read ${words}`, () => assert.equal(formatDuration(ms), words))
}

const account = { user: 'alice', domain: 'x', password: 'p' }
const calm: PhoneState = {
  account,
  connection: { kind: 'open' },
  registration: { kind: 'registered' },
  calls: [],
  recent: [],
}

test('what is worst about the line is what is told', () => {
  assert.deepEqual(lineStatus(calm), { light: 'good', words: 'Ready: alice@x' })
  assert.equal(lineStatus({ ...calm, registration: { kind: 'failed', words: 'no' } }).words, 'no')
  const lost = { ...calm, connection: { kind: 'lost', words: 'gone' } } as const
  assert.deepEqual(lineStatus({ ...lost, registration: { kind: 'failed', words: 'no' } }), {
    light: 'bad',
    words: 'gone',
  })
  const { account: _, ...signedOut } = calm
  assert.equal(lineStatus(signedOut).light, 'off')
})

const quality: Quality = { codec: 'PCMU', packetsReceived: 1, packetsLost: 0, lossFraction: 0, jitterMs: 2 }
test('loss and jitter decide the grade', () => {
  assert.match(qualityWords(quality), /^PCMU · Good · loss 0\.0 % · jitter 2\.0 ms$/)
  assert.match(qualityWords({ ...quality, lossFraction: 0.02 }), /Fair/)
  assert.match(qualityWords({ ...quality, jitterMs: 80, roundTripMs: 12.4 }), /Bad .* round trip 12 ms/)
})
