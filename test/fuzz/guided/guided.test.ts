import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../../src/base/index.ts'
import { parseAuthorization } from '../../../src/sip/index.ts'
import { fuzzGuided } from './guided.ts'
import { TARGETS } from './targets.ts'

for (const [name, target] of Object.entries(TARGETS)) {
  test(`guided by coverage, ${name}: two seconds find nothing`, () => {
    const { findings, inputs } = fuzzGuided(target(), { seconds: 2, seed: 20_260_101 })
    assert.deepEqual(findings, [])
    assert.ok(inputs > 100)
  })
}

test('what reaches code that nothing reached before is kept, and led to', () => {
  const { kept, reached } = fuzzGuided(
    {
      seeds: ['a@b'],
      take: (input) => void allowed(() => parseAuthorization(input)),
      change: (random, material) => random.pick(['Digest ', 'a', 'nc="1"', 'x=', ',']) + (material.at(-1) ?? ''),
    },
    { seconds: 0.5, seed: 1 },
  )
  assert.ok(kept > 0 && reached.bySearch > 0, JSON.stringify({ kept, reached }))
})

function allowed(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof GatewayError)
  }
}
