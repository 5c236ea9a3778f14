import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerCheck } from '../../src/media/engines/portable/ice/answer-check.ts'
import { ATTRIBUTE, buildStun, parseStun } from '../../src/media/engines/portable/stun/index.ts'
import { corpus } from '../support/corpora.ts'
import { seededRandom } from '../support/random.ts'
import { mutate } from './mutate.ts'

const PASSWORD = 'a-password-of-ours-22ch'
const FROM = { address: '2001:db8::1', port: 50_000 }

/** A check of ours that is right, so that mutations come close to being accepted. */
const GOOD = buildStun({
  class: 'request',
  transactionId: Buffer.alloc(12, 7),
  attributes: [
    [ATTRIBUTE.username, Buffer.from('ours:theirs')],
    [ATTRIBUTE.priority, Buffer.alloc(4, 1)],
    [ATTRIBUTE.iceControlling, Buffer.alloc(8, 2)],
    [ATTRIBUTE.useCandidate, Buffer.alloc(0)],
  ],
  key: PASSWORD,
})

/** Every seed as it is, then `rounds` mutations. @throws AssertionError with the input in hex. */
export function fuzzStun(rounds: number, seed: number): void {
  const random = seededRandom(seed)
  const dir = corpus('fuzz-seeds')
  const files = dir === undefined ? [] : readdirSync(join(dir, 'stun')).map((file) => join(dir, 'stun', file))
  const seeds = [GOOD, ...files.map((file) => readFileSync(file))]
  for (const input of seeds) check(input)
  for (let round = 0; round < rounds; round++) {
    const input = seeds[random.between(0, seeds.length - 1)] ?? GOOD
    check(mutate(random.between(0, 1) === 0 ? GOOD : input, seeds, random))
  }
}

/** Nothing throws, only the right bytes authenticate, and an answer is small and readable. */
function check(input: Buffer): void {
  const before = Buffer.from(input)
  try {
    const outcome = answerCheck(input, FROM, (ufrag) => (ufrag === 'ours' ? PASSWORD : undefined))
    assert.ok(input.equals(before), 'the input was changed')
    if (outcome.kind === 'dropped') return
    assert.ok(parseStun(outcome.response), 'the answer cannot be read')
    // Strangers may not use us to amplify: what is not authentic gets at most a short refusal.
    if (outcome.kind === 'refused') assert.ok(outcome.response.length <= Math.max(64, input.length), 'a long refusal')
    else assert.ok(input.equals(GOOD), 'changed bytes authenticated')
  } catch (error) {
    throw new Error(`STUN input ${before.toString('hex')}`, { cause: error })
  }
}

if (process.argv[1]?.endsWith('fuzz/stun.ts')) {
  for (let seed = Date.now(); ; seed++) fuzzStun(100_000, seed)
}
