import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialTarget } from './target.ts'

const cases: readonly (readonly [typed: string, target: string | undefined])[] = [
  ['*43', '*43'],
  [' bob ', 'bob'],
  ['bob@example.test', 'bob@example.test'],
  ['sip:bob@example.test;transport=ws', 'sip:bob@example.test;transport=ws'],
  ['+1 (555) 010-0', '+15550100'],
  ['tel:+1-555-0100', '+15550100'],
  ['0'.repeat(3), '000'],
  ['bob smith', undefined],
  ['sip:bob smith@x', undefined],
  ['', undefined],
  ['  ', undefined],
  ['( )', undefined],
]

for (const [typed, target] of cases) {
  test(`typed ${JSON.stringify(typed)} dials ${JSON.stringify(target)}`, () => assert.equal(dialTarget(typed), target))
}
