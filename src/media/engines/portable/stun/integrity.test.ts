import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ATTRIBUTE, buildStun, isAuthentic, parseStun } from './index.ts'

const PASSWORD = 'a-password-of-enough-length'

function check(key: string | undefined) {
  const message = parseStun(
    buildStun({
      class: 'request',
      transactionId: Buffer.alloc(12, 7),
      attributes: [[ATTRIBUTE.username, Buffer.from('ours:theirs')]],
      ...(key === undefined ? {} : { key }),
    }),
  )
  assert.ok(message)
  return message
}

test('a check made with our password is authentic', () => {
  assert.equal(isAuthentic(check(PASSWORD), PASSWORD), true)
})

test('a check made with another password, or with none, is not', () => {
  assert.equal(isAuthentic(check('another-password-of-that-kind'), PASSWORD), false)
  assert.equal(isAuthentic(check(undefined), PASSWORD), false)
})
